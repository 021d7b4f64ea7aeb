package org.vmferry.it.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.FullMachine;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.Mounted;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What is found out before {@code receive} listens: a source without a return path has given its
 * guest up by the time that its snapshot gets its name.
 */
@Timeout(60)
class OutputTest {
    private static final int SMALL = 64 << 10;

    @TempDir Path directory;
    private final Commands command = new Commands();

    /** An output that can't become what it must be. */
    enum Obstacle {
        MOUNT_POINT("mounted on it"),
        READ_ONLY_FOLDER("Read-only file system"),
        APPEND_ONLY_FOLDER("chattr +a"),
        IMMUTABLE_FOLDER("Operation not permitted"),
        IMMUTABLE_FILE("no permission"),
        APPEND_ONLY_FILE("Operation not permitted"),
        DIRECTORY("is a directory"),
        FULL_DISK("no room for"),
        FULL_QUOTA("quota exceeded"),
        TOO_LONG("File name too long");

        private final String said;

        Obstacle(String said) {
            this.said = said;
        }

        /** Puts it where the output is to be; what is returned takes it away again. */
        AutoCloseable put(Path out) throws Exception {
            Path folder = out.getParent();
            return switch (this) {
                case MOUNT_POINT -> {
                    Path other = Files.writeString(folder.getParent().resolve("other"), "other");
                    yield Mounted.over(Files.writeString(out, "old"), other);
                }
                case READ_ONLY_FOLDER -> Mounted.readOnly(folder);
                case APPEND_ONLY_FOLDER -> {
                    assumeTrue(
                            NativeCalls.available(),
                            "needs native access: without, the system's own words are told");
                    yield attribute('a', folder);
                }
                case IMMUTABLE_FOLDER -> attribute('i', folder);
                case IMMUTABLE_FILE -> attribute('i', Files.writeString(out, "old"));
                case APPEND_ONLY_FILE -> attribute('a', Files.writeString(out, "old"));
                case FULL_DISK -> {
                    Mounted disk = Mounted.disk(folder, 8);
                    Files.write(folder.resolve("filler"), new byte[8 << 20]);
                    yield disk;
                }
                case FULL_QUOTA -> {
                    Mounted disk = Mounted.quota(folder, 4);
                    Mounted.run("dd", "if=/dev/zero", "of=" + folder.resolve("filler"), "bs=64k");
                    yield disk;
                }
                case DIRECTORY -> {
                    Files.createDirectory(out);
                    yield () -> {};
                }
                default -> () -> {};
            };
        }

        private static AutoCloseable attribute(char which, Path file) throws Exception {
            String said = Mounted.run("chattr", "+" + which, file.toString());
            assumeTrue(said == null, () -> "chattr: " + said);
            return () -> Mounted.run("chattr", "-" + which, file.toString());
        }
    }

    private static Stream<Path> tree(Path folder) throws IOException {
        try (Stream<Path> found = Files.walk(folder)) {
            return found.toList().stream();
        }
    }

    @ParameterizedTest
    @EnumSource(Obstacle.class)
    @Tag("OWN-26")
    void receiveRefusesItBeforeItListens(Obstacle obstacle) throws Exception {
        Path folder = Files.createDirectory(directory.resolve("folder"));
        Path out = folder.resolve(obstacle == Obstacle.TOO_LONG ? "x".repeat(256) : "out");
        Path socket = directory.resolve("socket");
        try (AutoCloseable taken = obstacle.put(out)) {
            var before = tree(folder).toList();
            var receive = command.begin("receive", "unix:" + socket, "-o", out);
            while (!receive.isDone()) assertThat(socket).doesNotExist();
            assertThat(receive.get()).isEqualTo(1);
            assertThat(command.err())
                    .contains(obstacle.said)
                    .contains(out.toString())
                    .doesNotContain("listening");
            assertThat(tree(folder)).containsExactlyElementsOf(before);
            assertThat(taken).isNotNull();
        }
        assertThat(socket).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 221, 222, 223, 254, 255})
    void everyLegalNameWorks(int length) throws Exception {
        Path out = directory.resolve("n".repeat(length));
        Path in = directory.resolve("in");
        FullMachine machine = new FullMachine(SMALL, RunState.PAUSED).saved(in, "stream");
        assertThat(command.run("convert", in, out, "--format", "mapped-ram"))
                .as(command.err())
                .isZero();
        assertThat(command.run("extract", out, "--block", FullMachine.BLOCK, "-o", out))
                .as("onto itself")
                .isEqualTo(2);
        Path raw = directory.resolve("r".repeat(length));
        assertThat(command.run("extract", in, "--block", FullMachine.BLOCK, "-o", raw))
                .as(command.err())
                .isZero();
        assertThat(Files.readAllBytes(raw)).isEqualTo(machine.ram.toArray(ValueLayout.JAVA_BYTE));
        assertThat(tree(directory)).containsExactlyInAnyOrder(directory, in, out, raw);
    }

    @Test
    void aNameOf255BytesIsReceived() throws Exception {
        Path out = directory.resolve("ü".repeat(127) + "n");
        Path socket = directory.resolve("socket");
        var receive = command.begin("receive", "unix:" + socket, "-o", out);
        Commands.await(socket);
        Engine.create()
                .send(new FullMachine(SMALL, RunState.PAUSED), "unix:" + socket, Settings.NONE)
                .await();
        assertThat(receive.get()).as(command.err()).isZero();
        assertThat(out).isRegularFile();
    }

    /**
     * What nobody could know before: with a return path the source goes on, without one it can't.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("OWN-4")
    @Tag("OWN-8")
    void theOutputIsSpoiltMeanwhile(boolean returnPath) throws Exception {
        Path out = directory.resolve("out");
        Path socket = directory.resolve("socket");
        List<String> arguments =
                new ArrayList<>(List.of("receive", "unix:" + socket, "-o", "" + out));
        Settings settings = Settings.NONE;
        if (returnPath) {
            arguments.addAll(List.of("-c", "return-path"));
            settings = settings.capability("return-path");
        }
        var receive = command.begin(arguments.toArray());
        Commands.await(socket);
        Files.createDirectory(out);
        FullMachine source = new FullMachine(SMALL, RunState.RUNNING);
        Migration save = Engine.create().send(source, "unix:" + socket, settings);
        assertThat(receive.get()).isEqualTo(1);
        assertThat(save.await(Duration.ofSeconds(20))).isTrue();
        assertThat(save.owner()).isEqualTo(returnPath ? GuestOwner.SOURCE : GuestOwner.DESTINATION);
        assertThat(command.err())
                .contains("is a directory")
                .contains((returnPath ? GuestOwner.SOURCE : GuestOwner.UNKNOWN).sentence());
        assertThat(source.runState())
                .isEqualTo(returnPath ? RunState.RUNNING : RunState.POSTMIGRATE);
        assertThat(tree(directory)).containsExactlyInAnyOrder(directory, out);
    }

    @AfterEach
    void noThreads() throws InterruptedException {
        Leftovers.assertNoThreads();
    }
}
