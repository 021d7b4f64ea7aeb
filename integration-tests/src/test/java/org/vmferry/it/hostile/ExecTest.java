package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.Launched;
import org.vmferry.it.support.Snapshots;
import org.vmferry.it.support.Tools;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An {@code exec:} address runs a command: where that is not wanted, and for how long. */
class ExecTest {
    @TempDir Path folder;

    private Path snapshot;

    @BeforeEach
    void save() throws Exception {
        snapshot = folder.resolve("vm.snap");
        Snapshots.save(snapshot);
    }

    @Test
    void aScriptRefusesAnAddressThatRunsACommand() throws Exception {
        Commands vmferry = new Commands();
        Path proof = folder.resolve("PWNED");
        Path socket = folder.resolve("socket");
        String exec = "exec:cat > " + proof;
        for (String allowed : List.of("tcp", "tcp,unix", "unix:" + folder)) {
            assertThat(vmferry.run("send", snapshot, exec, "--allow", allowed)).isEqualTo(1);
            assertThat(
                            vmferry.run(
                                    "receive",
                                    "exec:touch " + proof,
                                    "-o",
                                    folder.resolve("x"),
                                    "--allow",
                                    allowed))
                    .isEqualTo(1);
        }
        assertThat(vmferry.err()).contains("'" + exec + "' is not allowed here, but tcp, unix");
        assertThat(proof).doesNotExist();

        Path arrived = folder.resolve("arrived");
        var receives =
                vmferry.begin(
                        "receive", "unix:" + socket, "-o", arrived, "--allow", "unix:" + folder);
        Commands.await(socket);
        assertThat(new Commands().run("send", snapshot, "unix:" + socket, "--allow", "unix"))
                .isZero();
        assertThat(receives.get(30, TimeUnit.SECONDS)).isZero();
        assertThat(arrived).exists();
    }

    @Test
    void anEngineRefusesItInBothDirections() throws Exception {
        Engine engine = Engine.create().allowing("tcp", "unix:" + folder);
        Path proof = folder.resolve("PWNED");
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            for (String uri : List.of("exec:touch " + proof, "unix:/tmp/vmferry-not-there")) {
                String why = "'" + uri + "' is not allowed here";
                assertThatThrownBy(() -> engine.send(archive, uri, Settings.NONE))
                        .hasMessageContaining(why);
                assertThatThrownBy(() -> engine.receive(archive, uri, Settings.NONE))
                        .hasMessageContaining(why);
            }
        }
        assertThat(proof).doesNotExist();
    }

    /** Whether its children are its own, a shell's, or have a child each. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "sleep 1000; touch %s", // nor does its next command begin
                "sh -c 'sleep 1000; true'; true",
                "trap '' TERM HUP; sleep 1000 | cat; true"
            })
    void aCommandLivesNoLongerThanWeDo(String command) throws Exception {
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        Path proof = folder.resolve("PWNED");
        String uri = "exec:" + command.formatted(proof);
        try (Launched vmferry = Launched.with(folder, temporary, "send", snapshot, uri)) {
            vmferry.await(() -> sleeps(vmferry) == 1);
            List<ProcessHandle> all = vmferry.descendants();
            // What a terminal's end or a Ctrl-C tells all of them does not end who watches.
            ProcessHandle watchdog =
                    all.stream()
                            .filter(one -> one.info().commandLine().orElse("").contains("over"))
                            .findFirst()
                            .orElseThrow();
            for (String signal : List.of("HUP", "INT", "TERM")) {
                Tools.signal(watchdog.pid(), signal);
            }
            vmferry.signal("KILL");
            vmferry.end(10);
            for (ProcessHandle one : all)
                assertThat(one.onExit().orTimeout(10, TimeUnit.SECONDS))
                        .as(one.info().toString())
                        .succeedsWithin(Duration.ofSeconds(11));
        }
        assertThat(proof).doesNotExist();
    }

    private static long sleeps(Launched vmferry) {
        return vmferry.descendants().stream()
                .filter(one -> one.info().command().orElse("").endsWith("/sleep"))
                .count();
    }
}
