package org.vmferry.it.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.qmp.QmpServer;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.Tools;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Clients that nobody here wrote drive two hosts through a migration that is cancelled, one that is
 * yanked and one that completes, and listen to events.
 */
class ForeignClientsTest {
    private static final Path CLIENTS =
            Path.of(
                    System.getenv()
                            .getOrDefault("VMFERRY_QMP_CLIENTS", "/opt/vmferry-qmp-clients"));

    @TempDir Path folder;

    private void requireClients() {
        boolean there =
                Files.isDirectory(CLIENTS.resolve("python/qemu/qmp"))
                        && Files.isDirectory(CLIENTS.resolve("node_modules/qemu-qmp"));
        Tools.require(
                there, "no clients in " + CLIENTS + "; .ci/install-qmp-clients installs them");
    }

    @ParameterizedTest
    @ValueSource(strings = {"socat", "nc", "python", "node"})
    void aClientDrivesTwoHosts(String client) throws Exception {
        drives(client);
    }

    /** Each of its requests starts a Python, which takes its time. */
    @Test
    @Tag("stress")
    void qmpShellDrivesTwoHosts() throws Exception {
        drives("qmp-shell");
    }

    private void drives(String client) throws Exception {
        requireClients();
        Engine engine = Engine.create();
        try (ReferenceMachine from = machine();
                ReferenceMachine to = machine();
                QmpServer source = QmpServer.listen(engine, from, folder.resolve("source"));
                QmpServer target = QmpServer.listen(engine, to, folder.resolve("target"))) {
            from.runFor(1_000_000); // it has pages that take their time at a small bandwidth
            from.enter(RunState.RUNNING);
            to.enter(RunState.INMIGRATE);
            String said = run(command(client));
            List<String> states = said.lines().filter(line -> line.matches("[a-z]+")).toList();
            assertThat(states)
                    .as(said)
                    .containsSubsequence("cancelled", "failed", "completed", "completed");
            assertThat(said).contains("\"event\": \"STOP\"").contains("\"event\": \"MIGRATION\"");
            assertThat(from.runState()).isEqualTo(RunState.POSTMIGRATE);
            assertThat(to.runState()).isEqualTo(RunState.RUNNING);
        }
        Leftovers.assertNoThreadsAtAll();
    }

    /** Scripts that lose no answer: 40 times the same, as it was lost 30 times of 40 before. */
    @ParameterizedTest
    @ValueSource(strings = {"socat - UNIX-CONNECT:qmp", "nc -N -U qmp"})
    void whoSaysAllAtOnceHearsAll(String command) throws Exception {
        requireClients();
        try (ReferenceMachine machine = machine();
                QmpServer server =
                        QmpServer.listen(Engine.create(), machine, folder.resolve("qmp"))) {
            String ask = "{\"execute\":\"query-commands\",\"id\":%d}";
            String all = "{\"execute\":\"qmp_capabilities\"}" + ask.formatted(1) + ask.formatted(2);
            for (int i = 0; i < 40; i++) {
                String said = run(List.of("sh", "-c", "printf '" + all + "' | " + command));
                assertThat(said.lines().count()).as(said).isEqualTo(4);
                assertThat(said).contains("\"id\": 1,").contains("\"id\": 2,");
            }
        }
    }

    /** The shell for people, with its completion and its words of the human monitor. */
    @Test
    void aPersonTypesIntoTheHumanMonitor() throws Exception {
        requireClients();
        try (ReferenceMachine machine = machine();
                QmpServer server =
                        QmpServer.listen(Engine.create(), machine, folder.resolve("qmp"))) {
            String said =
                    run(
                            List.of(
                                    "sh",
                                    "-c",
                                    "echo info status | python3 -m qemu.qmp.qmp_shell -H qmp"));
            assertThat(said).contains("VM status: paused");
        }
    }

    private List<String> command(String client) throws IOException {
        String script =
                switch (client) {
                    case "python" -> "drive.py";
                    case "node" -> "drive.js";
                    default -> "drive.sh";
                };
        Path copy = folder.resolve(script);
        try (InputStream in = getClass().getResourceAsStream("/qmp-clients/" + script)) {
            Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
        }
        List<String> command =
                new ArrayList<>(
                        switch (client) {
                            case "python" -> List.of("python3", copy.toString());
                            case "node" -> List.of("node", copy.toString());
                            default -> List.of("sh", copy.toString(), client);
                        });
        command.addAll(
                List.of(
                        folder.resolve("source").toString(),
                        folder.resolve("target").toString(),
                        "unix:" + folder.resolve("migration"),
                        folder.toString()));
        return command;
    }

    /** To its end, which must be a good one; what it said. */
    private String run(List<String> command) throws Exception {
        Path log = Files.createTempFile(folder, "client", ".log");
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.directory(folder.toFile()).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("PYTHONPATH", CLIENTS.resolve("python").toString());
        builder.environment().put("NODE_PATH", CLIENTS.resolve("node_modules").toString());
        Process process = builder.start();
        process.getOutputStream().close();
        boolean ended = process.waitFor(RawQmp.DEADLINE * 2, TimeUnit.SECONDS);
        if (!ended) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
        }
        String said = Files.readString(log);
        assertThat(ended).as("%s ended; it said %s", command, said).isTrue();
        assertThat(process.exitValue()).as("%s: %s", command, said).isZero();
        return said;
    }

    private static ReferenceMachine machine() {
        return ReferenceMachine.builder().ram(4 << 20).dirtyWindow(64).build();
    }
}
