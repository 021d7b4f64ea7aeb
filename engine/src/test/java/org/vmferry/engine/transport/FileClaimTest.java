package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.system.Descriptors;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.OutgoingFile;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Who may write to a file of which bytes are in use. */
class FileClaimTest {
    private static final int PAGE = 4096;
    private static final int START = PAGE;
    private static final int FROM = 4 * PAGE;
    private static final int TO = 12 * PAGE;
    private static final int SIZE = 16 * PAGE;

    @TempDir Path directory;
    private Path file;
    private byte[] before;

    @BeforeEach
    void aFile() throws IOException {
        before = new byte[SIZE];
        for (int i = 0; i < SIZE; i++) before[i] = (byte) (i / PAGE + 1);
        file = Files.write(directory.resolve("vm"), before);
    }

    @AfterEach
    void nothingStaysOpen() throws IOException {
        assertThat(Descriptors.open(directory.toString())).isEmpty();
    }

    private static OutgoingFile outgoing(Path file, String offset) throws IOException {
        return new LocalFileTransport()
                .outgoing(Address.parse("file:" + file + offset), Options.DEFAULTS);
    }

    private static IncomingFile incoming(Path file, String offset) throws IOException {
        return new LocalFileTransport()
                .incoming(Address.parse("file:" + file + offset), Options.DEFAULTS);
    }

    /** The file is closed at once, as after a restore; the mapping stays. */
    private static MemorySegment map(Path file, Arena arena) throws IOException {
        try (IncomingFile in = incoming(file, ",offset=" + START)) {
            return in.file(false).map(FROM, TO - FROM, arena).orElseThrow();
        }
    }

    private byte[] mappedBefore() {
        return Arrays.copyOfRange(before, FROM, TO);
    }

    private static void save(Path file, String offset) throws IOException {
        try (OutgoingFile out = outgoing(file, offset)) {
            long start = out.file(false).start();
            out.file(false).write(ByteBuffer.wrap("new".getBytes()), start);
            out.complete();
        }
    }

    private static void needLocks() {
        assumeTrue(NativeCalls.available(), "needs native access: without, there are no locks");
    }

    private void refused(Path by, String offset) throws IOException {
        needLocks();
        assertThatThrownBy(() -> save(by, offset))
                .isInstanceOfSatisfying(
                        MigrationException.class, e -> assertThat(e.blame()).isEqualTo(Blame.USER))
                .hasMessageContaining("'" + by + "'")
                .hasMessageContaining(
                        "a guest's RAM is mapped from its bytes %d to %d".formatted(START, TO))
                .hasMessageContaining("choose another file");
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, START, FROM + PAGE, TO - 1})
    @Tag("TRN-34")
    void whatIsMappedIsNotCut(int offset) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = map(file, arena);
            refused(file, ",offset=" + offset);
            assertThat(memory.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(mappedBefore());
        }
        save(file, ",offset=" + offset);
        assertThat(Files.size(file)).isEqualTo(offset + 3);
    }

    @Test
    void byWhateverNameItGoes() throws IOException {
        Path hard = Files.createLink(directory.resolve("vm-hard"), file);
        Path soft = Files.createSymbolicLink(directory.resolve("vm-soft"), hard);
        try (Arena arena = Arena.ofShared()) {
            map(file, arena);
            refused(hard, ",offset=1");
            assertThatThrownBy(() -> save(soft, ",offset=1"))
                    .hasMessageContaining("'" + hard + "'")
                    .hasMessageContaining("is mapped from");
            // Nor when the name that it was mapped by has gone.
            Files.delete(file);
            assertThatThrownBy(() -> save(hard, ",offset=1"))
                    .hasMessageContaining("is mapped from");
            assertThat(Files.readAllBytes(hard)).isEqualTo(before);
        }
    }

    @Test
    void whatLiesBehindItIsFree() throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = map(file, arena);
            save(file, ",offset=" + TO);
            assertThat(Files.size(file)).isEqualTo(TO + 3);
            assertThat(memory.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(mappedBefore());
        }
    }

    @Test
    void aNewFileOfItsNameIsNoHarm() throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = map(file, arena);
            save(file, "");
            assertThat(Files.readString(file)).isEqualTo("new");
            assertThat(memory.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(mappedBefore());
            save(file, ",offset=1"); // it is not the one that is mapped
        }
    }

    @Test
    void eachMappingCounts() throws IOException {
        try (Arena first = Arena.ofShared()) {
            try (Arena second = Arena.ofShared()) {
                map(file, first);
                map(file, second);
                refused(file, ",offset=1");
            }
            refused(file, ",offset=1");
        }
        save(file, ",offset=1");
    }

    @Test
    void noChildInheritsTheDescriptor() throws IOException {
        needLocks();
        try (Arena arena = Arena.ofShared()) {
            map(file, arena);
            List<String> flags = new ArrayList<>();
            try (var all = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
                for (Path descriptor : all) {
                    if (!Files.isSymbolicLink(descriptor)) continue;
                    if (!Files.readSymbolicLink(descriptor).equals(file)) continue;
                    flags.addAll(
                            Files.readAllLines(
                                    Path.of("/proc/self/fdinfo")
                                            .resolve(descriptor.getFileName())));
                }
            }
            assertThat(flags).filteredOn(line -> line.startsWith("flags:")).hasSize(1);
            assertThat(flags)
                    .filteredOn(line -> line.startsWith("flags:"))
                    .allMatch(
                            line -> (Long.parseLong(line.substring(6).strip(), 8) & 02000000) != 0);
        }
    }

    @Test
    void nobodyReadsOrWritesWhatIsBeingWritten() throws IOException {
        needLocks();
        try (OutgoingFile out = outgoing(file, ",offset=" + PAGE)) {
            out.file(false).write(ByteBuffer.allocate(3 * PAGE), PAGE);
            assertThatThrownBy(() -> save(file, ",offset=" + 2 * PAGE))
                    .hasMessageContaining("'" + file + "'")
                    .hasMessageContaining("another save is writing");
            assertThatThrownBy(() -> incoming(file, ",offset=" + PAGE))
                    .hasMessageContaining("'" + file + "'")
                    .hasMessageContaining("it is being written");
            out.complete();
            assertThat(Files.size(file)).isEqualTo(4 * PAGE);
        }
        save(file, ",offset=" + 2 * PAGE);
        incoming(file, ",offset=" + PAGE).close();
    }

    @Test
    void nobodyWritesWhatIsBeingRead() throws IOException {
        needLocks();
        try (IncomingFile in = incoming(file, ",offset=" + PAGE);
                IncomingFile another = incoming(file, "")) {
            another.close();
            assertThatThrownBy(() -> save(file, ",offset=" + PAGE))
                    .hasMessageContaining("'" + file + "'")
                    .hasMessageContaining("reads it");
            assertThat(Files.readAllBytes(file)).isEqualTo(before);
            save(file, "");
            ByteBuffer first = ByteBuffer.allocate(1);
            in.file(false).read(first, PAGE);
            assertThat(first.get(0)).isEqualTo(before[PAGE]);
        }
    }

    /** A snapshot may be restored as soon as it has its name, while its writer still holds it. */
    @Test
    void aNewFileIsReadAtOnce() throws IOException {
        try (OutgoingFile out = outgoing(file, "");
                Arena arena = Arena.ofShared()) {
            out.file(false).write(ByteBuffer.allocate(SIZE), 0);
            out.complete();
            map(file, arena);
        }
    }

    @Test
    void aMappingThatFailsHoldsNothing() throws IOException {
        Arena closed = Arena.ofShared();
        closed.close();
        assertThatThrownBy(() -> map(file, closed)).isInstanceOf(IllegalStateException.class);
        save(file, ",offset=1");
    }

    /** Maps the file, or begins to write it in place; says what came of it, and waits. */
    static final class Child {
        public static void main(String[] arguments) throws IOException {
            Path file = Path.of(arguments[1]);
            try (Arena arena = Arena.ofShared()) {
                switch (arguments[0]) {
                    case "map" -> {
                        map(file, arena);
                        // Drops all locks that are the process's.
                        incoming(file, "").close();
                        System.out.println("mapped");
                    }
                    case "map and save" -> {
                        map(file, arena);
                        try {
                            save(file, ",offset=1");
                            System.out.println("saved");
                        } catch (MigrationException e) {
                            System.out.println(e.getMessage());
                        }
                    }
                    case "begin" -> {
                        outgoing(file, ",offset=" + PAGE).file(false);
                        System.out.println("began");
                    }
                    default -> throw new IllegalArgumentException(arguments[0]);
                }
                while (System.in.read() >= 0) {}
            }
        }
    }

    private Process child(String says, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(arguments));
        command.add(file.toString());
        Process child =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try {
            assertThat(child.inputReader().readLine()).contains(says);
            return child;
        } catch (Throwable e) {
            child.destroyForcibly();
            throw e;
        }
    }

    @Test
    @Tag("TRN-34")
    void amongProcessesToo() throws Exception {
        needLocks();
        String access = "--enable-native-access=ALL-UNNAMED";
        Process child = child("mapped", access, Child.class.getName(), "map");
        try {
            refused(file, ",offset=1");
        } finally {
            child.destroyForcibly().waitFor(); // SIGKILL: the kernel lets go of what it held
        }
        child = child("began", access, Child.class.getName(), "begin");
        try {
            assertThatThrownBy(() -> incoming(file, ""))
                    .hasMessageContaining("it is being written");
            assertThatThrownBy(() -> save(file, ",offset=1"))
                    .hasMessageContaining("another save is writing");
        } finally {
            child.destroyForcibly().waitFor();
        }
        save(file, ",offset=1");
    }

    /** Without locks a process knows at least what it has mapped itself. */
    @Test
    void withoutNativeAccess() throws Exception {
        child("a guest's RAM is mapped from its bytes", Child.class.getName(), "map and save")
                .destroyForcibly()
                .waitFor();
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
    }
}
