package org.vmferry.it.faults;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.FullMachine;
import org.vmferry.it.support.Installed;
import org.vmferry.it.support.Launched;
import org.vmferry.it.support.Mounted;
import org.vmferry.spi.machine.RunState;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Folders that are not as they usually are. */
@Timeout(120)
class OddPlacesTest {
    private static final int GUEST = 1 << 20;

    @TempDir Path directory;
    private final Commands command = new Commands();

    private Path snapshot(Path folder) throws Exception {
        Path file = folder.resolve("snapshot");
        new FullMachine(GUEST, RunState.PAUSED).saved(file, "stream");
        return file;
    }

    private void sends(Path file, Object... options) throws Exception {
        Path socket = directory.resolve("socket");
        var receive = command.begin("receive", "unix:" + socket, "-o", directory.resolve("out"));
        Commands.await(socket);
        assertThat(send(file, socket, options)).as(command.err()).isZero();
        assertThat(receive.get()).as(command.err()).isZero();
    }

    private int send(Path file, Path socket, Object... options) {
        var line = Stream.concat(Stream.of("send", file, "unix:" + socket), Stream.of(options));
        return command.run(line.toArray());
    }

    @Test
    void whatLiesInAReadOnlyFolderIsReadByAll() throws Exception {
        Path folder = Files.createDirectory(directory.resolve("folder"));
        Path file = snapshot(folder);
        try (Mounted locked = Mounted.readOnly(folder)) {
            Path there = locked.at().resolve(file.getFileName());
            for (String what : List.of("inspect", "verify")) {
                assertThat(command.run(what, there)).as(command.err()).isZero();
            }
            sends(there);
            Path out = directory.resolve("converted");
            assertThat(command.run("convert", there, out, "--format", "mapped-ram"))
                    .as(command.err())
                    .isZero();
            assertThat(command.run("extract", there, "--block", FullMachine.BLOCK, "-o", out))
                    .as(command.err())
                    .isZero();
            assertThat(Files.list(folder)).containsExactly(there);
        }
    }

    @Test
    void whereTheTemporaryFolderIsFullSendSaysWhichOptionNamesAnother() throws Exception {
        Path file = snapshot(directory);
        String usual = System.getProperty("java.io.tmpdir");
        try (Mounted small = Mounted.disk(directory.resolve("small"), 1)) {
            Files.write(small.at().resolve("filler"), new byte[512 << 10]);
            System.setProperty("java.io.tmpdir", small.at().toString());
            assertThat(send(file, directory.resolve("nobody"))).isEqualTo(1);
            assertThat(command.err())
                    .contains("no room for", small.at().toString(), "--scratch")
                    .doesNotContain("sending to");
            sends(file, "--scratch", directory);
            assertThat(Files.list(small.at())).hasSize(1);
        } finally {
            System.setProperty("java.io.tmpdir", usual);
        }
    }

    @Test
    void whereNoLibraryIsLoadedZstdSaysWhatToSet() throws Exception {
        Path socket = directory.resolve("socket");
        Settings zstd =
                Settings.NONE
                        .capability("multifd")
                        .parameter("multifd-channels", "2")
                        .parameter("multifd-compression", "zstd");
        try (Mounted temporary = Mounted.withoutPrograms(directory.resolve("temporary"));
                Launched receive =
                        Launched.with(
                                directory,
                                temporary.at(),
                                "receive",
                                "unix:" + socket,
                                "-o",
                                directory.resolve("out"),
                                "-c",
                                "multifd",
                                "-p",
                                "multifd-channels=2",
                                "-p",
                                "multifd-compression=zstd")) {
            receive.await(() -> Files.exists(socket) || receive.err().contains("zstd"));
            Migration save =
                    Engine.create()
                            .send(new FullMachine(GUEST, RunState.PAUSED), "unix:" + socket, zstd);
            assertThat(receive.end(60)).isEqualTo(1);
            save.cancel();
            assertThat(receive.err())
                    .contains("zstd", "'" + temporary.at() + "'", "noexec", "-DZstdTempFolder=DIR");
            assertThat(receive.err().lines().filter(line -> line.contains("zstd"))).hasSize(1);
        }
    }

    /** The launcher, its install folder, the current one and the files, in the C locale. */
    @Test
    void namesNeedNotBeAscii() throws Exception {
        Installed.in(directory.resolve("install"));
        Path snapshot = snapshot(directory);
        // A shell makes the names: this JVM may not know how to.
        String script =
                """
                set -eu
                u=$(printf '\\303\\274')
                mkdir "$u" && mv install "$u/$u" && mv snapshot "$u/s$u" && cd "$u"
                export LC_ALL=C JAVA_HOME="$1"
                "./$u/vmferry" verify "s$u" >"v$u"
                grep -q "^s$u: sound" "v$u"
                "$PWD/$u/vmferry" convert "s$u" "c$u" --format mapped-ram
                "./$u/vmferry" extract "$PWD/c$u" --block full.ram -o "r$u"
                test -s "r$u"
                unset LC_ALL
                LC_CTYPE=POSIX "./$u/vmferry" verify "c$u" -q
                LANG=xx_YY.UTF-8 "./$u/vmferry" verify "c$u" -q
                echo all done
                """;
        Path said = directory.resolve("said");
        Process shell =
                new ProcessBuilder("sh", "-c", script, "sh", System.getProperty("java.home"))
                        .directory(directory.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(said.toFile())
                        .start();
        int status = shell.waitFor();
        String all = Files.readString(said, StandardCharsets.ISO_8859_1);
        assertThat(status).as(all).isZero();
        assertThat(all).endsWith("all done\n");
    }
}
