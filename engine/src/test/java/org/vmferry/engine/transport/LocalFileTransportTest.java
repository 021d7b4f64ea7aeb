package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.system.Descriptors;
import org.vmferry.engine.system.Inode;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Printable;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;

class LocalFileTransportTest {
    @TempDir Path directory;
    private final LocalFileTransport transport = new LocalFileTransport();

    @AfterEach
    void nothingStaysOpen() throws IOException {
        assertThat(Descriptors.open(directory.toString())).isEmpty();
    }

    private OutgoingFile outgoing(Path file, String suffix) throws IOException {
        return transport.outgoing(Address.parse("file:" + file + suffix), Options.DEFAULTS);
    }

    private IncomingFile incoming(Path file, String suffix) throws IOException {
        return transport.incoming(Address.parse("file:" + file + suffix), Options.DEFAULTS);
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes());
    }

    private List<String> names() throws IOException {
        try (var files = Files.list(directory)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void appearsWhenCompleteAndNotBefore() throws IOException {
        Path file = Files.writeString(directory.resolve("vm.snap"), "old");
        try (OutgoingFile out = outgoing(file, "")) {
            out.expect(1000);
            assertThat(names()).containsExactly("vm.snap");
            out.file(false).write(bytes("new"), 0);
            assertThat(Files.readString(file)).isEqualTo("old");
            assertThat(names()).hasSize(2).anyMatch(n -> n.matches("\\.vmferry-.*\\.part"));
            out.complete();
            assertThat(Files.readString(file)).isEqualTo("new");
        }
        assertThat(names()).containsExactly("vm.snap");
        assertThat(Files.readString(file)).isEqualTo("new");
    }

    @Test
    void isTakenBackWhenNotCompleted() throws IOException {
        Path file = Files.writeString(directory.resolve("vm.snap"), "old");
        try (OutgoingFile out = outgoing(file, "")) {
            out.file(false).write(bytes("new"), 0);
        }
        assertThat(names()).containsExactly("vm.snap");
        assertThat(Files.readString(file)).isEqualTo("old");
    }

    @Test
    void openingNothingLeavesNothing() throws IOException {
        outgoing(directory.resolve("vm.snap"), "").close();
        assertThat(names()).isEmpty();
    }

    @Test
    void releasedWritesNoMoreAndNeverCompletes() throws IOException {
        Path file = directory.resolve("vm.snap");
        try (OutgoingFile out = outgoing(file, "")) {
            PositionedFile positioned = out.file(false);
            positioned.write(bytes("new"), 0);
            out.release();
            assertThatThrownBy(() -> positioned.write(bytes("x"), 0))
                    .hasMessageContaining("given up");
            assertThatThrownBy(() -> out.file(true)).hasMessageContaining("given up");
            assertThatThrownBy(out::complete).hasMessageContaining("given up");
        }
        assertThat(names()).isEmpty();
    }

    @Test
    void keepsTheLinkAndReplacesWhatItPointsTo() throws IOException {
        Path real = Files.createDirectory(directory.resolve("real")).resolve("vm");
        Files.writeString(real, "old");
        Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("real/vm"));
        try (OutgoingFile out = outgoing(link, "")) {
            out.file(false).write(bytes("new"), 0);
            out.complete();
        }
        assertThat(Files.isSymbolicLink(link)).isTrue();
        assertThat(Files.readString(real)).isEqualTo("new");
        assertThat(names()).containsExactly("link", "real");
    }

    @Test
    void keepsThePermissionsOfWhatItReplaces() throws IOException {
        Path file = Files.writeString(directory.resolve("vm.snap"), "old");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        try (OutgoingFile out = outgoing(file, "")) {
            out.file(false).write(bytes("new"), 0);
            out.complete();
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-r--r--");
        Path fresh = directory.resolve("fresh");
        try (OutgoingFile out = outgoing(fresh, "")) {
            out.file(false).write(bytes("new"), 0);
            out.complete();
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(fresh)))
                .isEqualTo("rw-------");
    }

    /** As each letter beyond ASCII is in the locale C. */
    @Test
    void whatTheLocaleCanNotNameIsSaid() {
        String halfALetter = "\ud800";
        assertThatThrownBy(() -> outgoing(Path.of("vm"), halfALetter))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("encoding is " + System.getProperty("sun.jnu.encoding"))
                .hasMessageContaining("LC_ALL=C.UTF-8");
        assertThatThrownBy(() -> outgoing(Path.of("vm"), "\0"))
                .isInstanceOf(MigrationException.class)
                .hasMessageNotContaining("LC_ALL");
    }

    /** Whoever planted it there would read the guest's RAM. */
    @Test
    void takesNoPermissionsFromWhatAnotherUserPlanted() throws IOException {
        Path shared = Files.createDirectory(directory.resolve("shared"));
        Files.setAttribute(shared, "unix:mode", 01777);
        Path file = planted(Files.writeString(shared.resolve("vm.snap"), "bait"));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
        try (OutgoingFile out = outgoing(file, "")) {
            out.file(false).write(bytes("new"), 0);
            out.complete();
        }
        assertThat(Files.readString(file)).isEqualTo("new");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(Files.getAttribute(file, "unix:uid")).isEqualTo(0);
    }

    /** The kernel does not follow such a link either. */
    @Test
    void followsNoLinkThatAnotherUserPlanted() throws IOException {
        Path shared = Files.createDirectory(directory.resolve("shared"));
        Files.setAttribute(shared, "unix:mode", 01777);
        Path link = planted(Files.createSymbolicLink(shared.resolve("vm"), directory.resolve("x")));
        for (String offset : new String[] {"", ",offset=4k"}) {
            try (OutgoingFile out = outgoing(link, offset)) {
                assertThatThrownBy(() -> out.file(false))
                        .hasMessageContaining("is a symbolic link that another user");
            }
        }
        Files.writeString(directory.resolve("x"), "there");
        assertThatThrownBy(() -> incoming(link, "")).hasMessageContaining("another user (65534)");
        Files.setAttribute(link, "unix:uid", 0, LinkOption.NOFOLLOW_LINKS);
        incoming(link, "").close();
        assertThat(names()).containsExactly("shared", "x");
    }

    /** What anybody can make in a folder for all; only root can make it in another's name. */
    private static Path planted(Path file) throws IOException {
        assumeTrue(Inode.me().orElse(-1) == 0, "only root can give a file away");
        Files.setAttribute(file, "unix:uid", 65534, LinkOption.NOFOLLOW_LINKS);
        return file;
    }

    /** A pipe held up whoever asked whether it is locked. */
    @Test
    void whatIsPlantedUnderThePrefixHoldsNobodyUpAndIsNotNamed() throws Exception {
        Path file = directory.resolve("vm.snap");
        Path pipe = Unfinished.name(file);
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        Files.createSymbolicLink(Unfinished.name(file), pipe);
        Files.createDirectory(Unfinished.name(file));
        planted(Files.writeString(Unfinished.name(file), "another's"));
        Path ours = Files.writeString(Unfinished.name(file), "ours");
        assertTimeoutPreemptively(
                Duration.ofSeconds(10),
                () ->
                        assertThat(Unfinished.beside(file))
                                .extracting(Unfinished::file)
                                // Its name says that this process made it.
                                .containsExactly(ours));
        // Also where it is put there just then.
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> Libc.probe(pipe).close());
    }

    @Test
    void theWordToRemoveALeftoverRunsNothingElse() throws IOException {
        Path folder = Files.createDirectory(directory.resolve("x'; touch PWNED; echo '\u001b"));
        Path file = folder.resolve("vm.snap");
        Files.writeString(Unfinished.name(file), "left");
        Unfinished left = Unfinished.beside(file).getFirst();
        assertThat(left.toString()).doesNotContain("\u001b");
        assertThat(left.removal())
                .isEqualTo("rm -- " + Printable.shellWord(left.file().toString()));
    }

    @ParameterizedTest
    @CsvSource({"5,5", "1k,1024", "1M,1048576", "2G,2147483648", "0,0"})
    void offsetTakesSuffixes(String typed, long bytes) throws IOException {
        FileTarget target = FileTarget.parse(Address.parse("file:a,offset=9,offset=" + typed));
        assertThat(target.path()).hasToString("a,offset=9");
        assertThat(target.start()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "x", "1T", "k", "9223372036854775807k", "0x10", "1 "})
    void offsetThatIsNoneIsTheUsersFault(String typed) {
        assertThatThrownBy(() -> outgoing(directory.resolve("a"), ",offset=" + typed))
                .isInstanceOfSatisfying(
                        MigrationException.class, e -> assertThat(e.blame()).isEqualTo(Blame.USER))
                .hasMessageContaining("offset '" + typed + "'");
    }

    @Test
    void offsetKeepsWhatPrecedesAndCutsWhatFollows() throws IOException {
        Path file = Files.writeString(directory.resolve("image"), "headerold-old-old");
        try (OutgoingFile out = outgoing(file, ",offset=6")) {
            assertThat(out.file(false).start()).isEqualTo(6);
            assertThat(Files.readString(file)).isEqualTo("header");
            out.file(false).write(bytes("new"), 6);
            out.complete();
        }
        assertThat(Files.readString(file)).isEqualTo("headernew");
        try (OutgoingFile out = outgoing(file, ",offset=6")) {
            out.file(false).write(bytes("half"), 6);
            out.release();
        }
        assertThat(Files.readString(file)).isEqualTo("header");
        try (OutgoingFile out = outgoing(file, ",offset=1k")) {
            out.file(false).write(bytes("half"), 1024);
        }
        assertThat(Files.readString(file)).isEqualTo("header");
        Path none = directory.resolve("none");
        try (OutgoingFile out = outgoing(none, ",offset=1k")) {
            out.file(false).write(bytes("half"), 1024);
        }
        assertThat(none).doesNotExist();
    }

    @Test
    void refusesWhatCannotBeWritten() throws IOException {
        assertThatThrownBy(() -> outgoing(directory.resolve("no/vm"), "").file(false))
                .hasMessageContaining("there is no directory '" + directory.resolve("no"));
        assertThatThrownBy(() -> outgoing(directory, "").file(false))
                .hasMessageContaining("is a directory");
        Path pipe = directory.resolve("pipe");
        assertThat(
                        new ProcessBuilder("mkfifo", pipe.toString())
                                .start()
                                .onExit()
                                .join()
                                .exitValue())
                .isZero();
        assertThatThrownBy(() -> outgoing(pipe, "").file(false))
                .hasMessageContaining("pipe or socket");
        assertThatThrownBy(() -> incoming(pipe, "")).hasMessageContaining("neither a file");
    }

    @Test
    void asksForRoom() throws IOException {
        try (OutgoingFile out = outgoing(directory.resolve("vm"), "")) {
            assertThatThrownBy(() -> out.expect(Long.MAX_VALUE / 2))
                    .hasMessageMatching(
                            "(?s)no room for '.*vm': needs up to 4611686018427387903 bytes, \\d+"
                                    + " are free in '.*'");
            out.expect(0);
        }
    }

    @Test
    void refusesWhatCannotBeRead() throws IOException {
        Path file = Files.writeString(directory.resolve("vm"), "0123");
        incoming(file, ",offset=4").close();
        assertThatThrownBy(() -> incoming(file, ",offset=5"))
                .hasMessageContaining("offset 5 lies beyond the file's 4 bytes");
        assertThatThrownBy(() -> incoming(directory, "")).hasMessageContaining("is a directory");
        assertThatThrownBy(() -> incoming(directory.resolve("none"), ""))
                .hasMessageContaining("there is no such file")
                .hasMessageNotContaining("unfinished");
    }

    @Test
    void readsToTheEnd() throws IOException {
        Path file = Files.writeString(directory.resolve("vm"), "0123456789");
        try (IncomingFile in = incoming(file, ",offset=2")) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(100);
            assertThat(in.file(false).read(buffer, 4)).isEqualTo(6);
            assertThat(in.file(false).read(buffer, 10)).isZero();
            assertThat(in.file(false).start()).isEqualTo(2);
            assertThat(in.file(false).size()).isEqualTo(10);
            assertThat(in.file(false)).isSameAs(in.file(false));
        }
    }

    @Test
    void resizesWithAHole() throws IOException {
        Path file = directory.resolve("vm");
        try (OutgoingFile out = outgoing(file, "")) {
            PositionedFile positioned = out.file(false);
            positioned.write(bytes("data"), 0);
            positioned.resize(8 << 20);
            assertThat(positioned.size()).isEqualTo(8 << 20);
            boolean told = NativeCalls.available(); // else it may be data
            assertThat(positioned.nextData(1 << 20)).isEqualTo(told ? 8 << 20 : 1 << 20);
            positioned.write(bytes("data"), 4 << 20);
            assertThat(positioned.nextData(1 << 20)).isEqualTo(told ? 4 << 20 : 1 << 20);
            positioned.resize(10);
            out.complete();
        }
        assertThat(Files.size(file)).isEqualTo(10);
    }

    @Test
    void directTransfersAreAligned() throws IOException {
        Path file = directory.resolve("vm");
        try (Arena arena = Arena.ofConfined()) {
            try (OutgoingFile out = outgoing(file, "")) {
                PositionedFile direct = out.file(true);
                int alignment = direct.alignment();
                assertThat(alignment).isGreaterThanOrEqualTo(4096);
                MemorySegment memory = arena.allocate(2L * alignment, alignment);
                memory.fill((byte) 7);
                direct.write(memory.asByteBuffer(), 4L * alignment);
                assertThatThrownBy(() -> direct.write(memory.asByteBuffer(), 100))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("multiples of " + alignment);
                assertThatThrownBy(
                                () -> direct.write(memory.asSlice(8, alignment).asByteBuffer(), 0))
                        .isInstanceOf(IllegalArgumentException.class);
                assertThatThrownBy(() -> direct.write(memory.asSlice(0, 8).asByteBuffer(), 0))
                        .isInstanceOf(IllegalArgumentException.class);
                out.file(false).write(bytes("tail"), 6L * alignment);
                out.complete();
            }
            try (IncomingFile in = incoming(file, "")) {
                int alignment = in.file(true).alignment();
                MemorySegment memory = arena.allocate(4L * alignment, alignment);
                assertThat(in.file(true).read(memory.asByteBuffer(), 4L * alignment))
                        .isEqualTo(2 * alignment + 4);
                assertThat(memory.get(ValueLayout.JAVA_BYTE, 2L * alignment - 1))
                        .isEqualTo((byte) 7);
                assertThat(memory.get(ValueLayout.JAVA_BYTE, 2L * alignment)).isEqualTo((byte) 't');
            }
        }
    }

    @Test
    void mapsMoreThan2GiBCopyOnWrite() throws IOException {
        Path file = directory.resolve("vm");
        long size = 3L << 30;
        try (FileChannel sparse =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            sparse.write(bytes("end"), size - 3);
        }
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r--r--"));
        Arena arena = Arena.ofShared();
        MemorySegment mapped;
        try (IncomingFile in = incoming(file, "")) {
            assertThatThrownBy(() -> in.file(false).map(4096, size, arena))
                    .isInstanceOf(IllegalArgumentException.class);
            mapped = in.file(false).map(4096, size - 4096, arena).orElseThrow();
        }
        assertThat(mapped.byteSize()).isEqualTo(size - 4096);
        assertThat(mapped.get(ValueLayout.JAVA_BYTE, size - 4096 - 1)).isEqualTo((byte) 'd');
        mapped.set(ValueLayout.JAVA_BYTE, size - 4096 - 1, (byte) 'x');
        try (IncomingFile in = incoming(file, "")) {
            ByteBuffer last = ByteBuffer.allocate(3);
            in.file(false).read(last, size - 3);
            assertThat(last.array()).asString().isEqualTo("end");
        }
        assertThat(Files.readString(Path.of("/proc/self/maps"))).contains(file.toString());
        arena.close();
        assertThat(Files.readString(Path.of("/proc/self/maps"))).doesNotContain(file.toString());
    }

    @Test
    void neverMixesTwoFilesOfOneName() throws IOException {
        Path file = Files.writeString(directory.resolve("vm"), "old".repeat(4000));
        try (IncomingFile in = incoming(file, "")) {
            try (OutgoingFile out = outgoing(file, "")) {
                out.file(false).write(bytes("new"), 0);
                out.complete();
            }
            assertThatThrownBy(() -> in.file(true)).hasMessageContaining("was replaced");
            assertThatThrownBy(() -> in.file(false).map(0, 4096, Arena.global()))
                    .hasMessageContaining("was replaced");
            ByteBuffer first = ByteBuffer.allocate(3);
            in.file(false).read(first, 0);
            assertThat(first.array()).asString().isEqualTo("old");
        }
    }

    @Test
    void devicesAreWrittenInPlace() throws IOException {
        try (OutgoingFile out = outgoing(Path.of("/dev/null"), "")) {
            out.expect(1L << 60);
            out.file(false).write(bytes("gone"), 1 << 20);
            out.file(false).resize(1 << 30);
        }
        assertThat(Path.of("/dev/null")).exists();
    }
}
