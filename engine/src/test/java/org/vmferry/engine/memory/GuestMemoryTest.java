package org.vmferry.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.system.Descriptors;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.doubles.PresentPages;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Guest memory of all kinds: what it promises, and what it knows without a look. */
class GuestMemoryTest {
    private static final int PAGE = 4096;
    private static final long HUGE = 2 << 20;
    private static final long MIB = 1 << 20;

    /** How it is made. */
    enum Kind {
        ANONYMOUS,
        MEMFD,
        FILE
    }

    @TempDir Path folder;

    private final Arena arena = Arena.ofShared();

    @AfterEach
    void close() {
        if (arena.scope().isAlive()) arena.close();
    }

    private GuestMemory make(Kind kind, long bytes) throws IOException {
        return switch (kind) {
            case ANONYMOUS -> GuestMemory.allocate(arena, bytes);
            case MEMFD -> GuestMemory.shareable(arena, bytes);
            case FILE -> GuestMemory.ofFile(arena, folder.resolve("ram"), bytes);
        };
    }

    private static void needNative() {
        assumeTrue(NativeCalls.available(), "needs native access: without, nothing is known");
    }

    private static void store(GuestMemory memory, long offset, int value) {
        memory.segment().set(ValueLayout.JAVA_BYTE, offset, (byte) value);
    }

    @ParameterizedTest
    @EnumSource
    void isZeroAndItsOwn(Kind kind) throws IOException {
        GuestMemory memory = make(kind, 5 * MIB);
        MemorySegment bytes = memory.segment();
        assertThat(bytes.byteSize()).isEqualTo(5 * MIB);
        for (long at = 0; at < 5 * MIB; at += 8)
            assertThat(bytes.get(ValueLayout.JAVA_LONG, at)).isZero();
        store(memory, 0, 1);
        store(memory, 5 * MIB - 1, 2);
        byte[] read = new byte[1];
        RamBlock block = memory.block("ram", PAGE, 0x1_0000_0000L);
        block.read(5 * MIB - 1, MemorySegment.ofArray(read));
        assertThat(read[0]).isEqualTo((byte) 2);
        assertThat(block.memory()).contains(bytes);
        assertThat(block.guestAddress()).hasValue(0x1_0000_0000L);
        assertThat(memory.block("ram", PAGE).guestAddress()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void beginsWhereAHugePageCan(Kind kind) throws IOException {
        needNative();
        for (int i = 0; i < 3; i++) // between whatever else is mapped
        assertThat(make(kind, PAGE * 3L).segment().address() % HUGE).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void isFreshUntilSomethingIsStored(Kind kind) throws IOException {
        needNative();
        GuestMemory memory = make(kind, 64 * MIB);
        RamBlock block = memory.block("ram", PAGE);
        assertThat(block.isFresh()).isTrue();
        store(memory, 63 * MIB, 0); // even this: somebody is at work
        assertThat(block.isFresh()).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void whatWasNeverWrittenIsKnownWithoutALook(Kind kind) throws IOException {
        needNative();
        long size = 1 << 30;
        GuestMemory memory = make(kind, size);
        RamBlock block = memory.block("ram", PAGE);
        store(memory, 512 * MIB + 5, 1);
        long before = PresentPages.in(memory.segment());
        assertThat(before).isBetween(1L, HUGE / PAGE);
        assertThat(block.isKnownZero(0, size)).isFalse();
        assertThat(block.isKnownZero(0, 512 * MIB)).isTrue();
        assertThat(block.isKnownZero(512 * MIB, PAGE)).isFalse();
        assertThat(block.isKnownZero(511 * MIB, MIB + PAGE)).isFalse();
        assertThat(block.isKnownZero(514 * MIB, size - 514 * MIB)).isTrue();
        assertThat(block.isKnownZero(size - PAGE, PAGE)).isTrue();
        assertThat(PresentPages.in(memory.segment())).isEqualTo(before);
    }

    /** The last page of what is asked counts, wherever the questions to the kernel are divided. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4095, 4096, 4097, 4098, 8192, 8193, 8194, 9000})
    void noPageIsLeftOutOfALongQuestion(long pages) {
        needNative();
        GuestMemory memory = GuestMemory.allocate(arena, 64 * MIB);
        RamBlock block = memory.block("ram", PAGE);
        long huge = 40 * MIB; // that page is stored to, and its neighbours may come with it
        store(memory, huge, 1);
        assertThat(block.isKnownZero(huge - (pages - 1) * PAGE, pages * PAGE)).isFalse();
        assertThat(block.isKnownZero(huge - pages * PAGE, pages * PAGE)).isTrue();
    }

    /** A guest's page may be smaller than the system's. */
    @ParameterizedTest
    @EnumSource
    void smallPages(Kind kind) throws IOException {
        needNative();
        GuestMemory memory = make(kind, 8 * MIB);
        RamBlock block = memory.block("ram", 1024);
        store(memory, 4 * MIB + 3000, 1);
        assertThat(block.isKnownZero(4 * MIB + 2048, 1024)).isFalse();
        assertThat(block.isKnownZero(4 * MIB - 1024, 4096)).isFalse();
        assertThat(block.isKnownZero(4 * MIB - 1024, 1024)).isTrue();
    }

    /** Nothing is remembered: who asks after a store hears of it, on any thread. */
    @ParameterizedTest
    @EnumSource
    void aStoreCountsAtOnce(Kind kind) throws Exception {
        needNative();
        GuestMemory memory = make(kind, 256 * MIB);
        RamBlock block = memory.block("ram", PAGE);
        List<Callable<Void>> guests = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            long from = i * 64 * MIB;
            guests.add(
                    () -> {
                        for (long at = from; at < from + 64 * MIB; at += MIB) {
                            if (at % HUGE == 0) assertThat(block.isKnownZero(at, MIB)).isTrue();
                            store(memory, at + 77, 1);
                            assertThat(block.isKnownZero(at, PAGE)).isFalse();
                            assertThat(block.isKnownZero(at, MIB)).isFalse();
                        }
                        return null;
                    });
        }
        try (var threads = Executors.newFixedThreadPool(4)) {
            for (Future<Void> guest : threads.invokeAll(guests)) guest.get();
        }
    }

    @ParameterizedTest
    @EnumSource
    void goesWithItsArena(Kind kind) throws IOException {
        needNative();
        long before = descriptors();
        RamBlock block;
        String address;
        try (Arena own = Arena.ofShared()) {
            GuestMemory memory =
                    switch (kind) {
                        case ANONYMOUS -> GuestMemory.allocate(own, 3 * MIB);
                        case MEMFD -> GuestMemory.shareable(own, 3 * MIB);
                        case FILE -> GuestMemory.ofFile(own, folder.resolve("ram"), 3 * MIB);
                    };
            block = memory.block("ram", PAGE);
            address = Long.toHexString(memory.segment().address());
            assertThat(descriptors()).isEqualTo(before + 1);
            assertThat(mappings()).anyMatch(line -> line.startsWith(address));
        }
        assertThat(mappings()).noneMatch(line -> line.startsWith(address));
        assertThat(descriptors()).isEqualTo(before);
        assertThat(block.isKnownZero(0, PAGE)).isFalse();
        assertThat(block.isFresh()).isFalse();
    }

    /** The system gives a number anew at once. */
    @Test
    void whoAsksAfterTheEndAsksNobodysFile() throws IOException {
        needNative();
        Path file = Files.write(folder.resolve("other"), new byte[PAGE]);
        for (int i = 0; i < 100; i++) {
            Descriptor closed = new Descriptor(MemoryCalls.open("/proc/self/pagemap", false));
            closed.close();
            Descriptor other = new Descriptor(MemoryCalls.open(file.toString(), false));
            try {
                if (other.number() != closed.number()) continue; // another thread was faster
                closed.close();
                assertThat(closed.nextData(0)).isEqualTo(-1);
                assertThat(closed.read(arena.allocate(8), 0)).isEqualTo(-1);
                assertThat(other.nextData(0)).isZero();
                return;
            } finally {
                other.close();
            }
        }
        throw new AssertionError("never got a number twice");
    }

    private static List<String> mappings() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/maps"));
    }

    /** Of the kinds that memory has. */
    private long descriptors() throws IOException {
        return Descriptors.open("pagemap").size()
                + Descriptors.open("memfd:").size()
                + Descriptors.open(folder.toString()).size();
    }

    /** What was taken for the alignment, up to 2 MiB each, is given back. */
    @Test
    void takesNoMoreThanItself() throws IOException {
        needNative();
        long before = mapped();
        for (int i = 0; i < 500; i++) GuestMemory.allocate(arena, PAGE);
        assertThat(mapped() - before).isLessThan(500 * MIB);
    }

    private static long mapped() throws IOException {
        String line = Files.readString(Path.of("/proc/self/statm"));
        return Long.parseLong(line.substring(0, line.indexOf(' '))) * PAGE;
    }

    /** A page that was swapped out is not there either, and is not zero. */
    @ParameterizedTest
    @EnumSource(names = {"ANONYMOUS", "MEMFD"})
    void whatIsSwappedOutIsNotZero(Kind kind) throws Throwable {
        needNative();
        GuestMemory memory = make(kind, 16 * MIB);
        RamBlock block = memory.block("ram", PAGE);
        memory.segment().asSlice(4 * MIB, 4 * MIB).fill((byte) 1);
        Advice.swapOut(memory.segment());
        assertThat(block.isKnownZero(0, 4 * MIB)).isTrue();
        for (long at = 4 * MIB; at < 8 * MIB; at += PAGE)
            assertThat(block.isKnownZero(at, PAGE)).as("at %d", at).isFalse();
        assertThat(block.isKnownZero(8 * MIB, 8 * MIB)).isTrue();
        assertThat(block.isFresh()).isFalse();
        assertThat(PresentPages.in(memory.segment())).isZero();
    }

    @Test
    void ifNobodyKeepsAnArenaTheCollectorDoes() {
        GuestMemory memory = GuestMemory.allocate(MIB);
        store(memory, MIB - 1, 7);
        assertThat(
                        memory.block("ram", PAGE)
                                .memory()
                                .orElseThrow()
                                .get(ValueLayout.JAVA_BYTE, MIB - 1))
                .isEqualTo((byte) 7);
        assertThat(memory.file()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            longs = {
                0,
                -4096,
                1,
                4095,
                4097,
                Long.MAX_VALUE,
                Long.MAX_VALUE - 4095,
                Long.MIN_VALUE
            })
    void whatIsNoLengthOfRam(long bytes) {
        for (Kind kind : Kind.values())
            assertThatThrownBy(() -> make(kind, bytes))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("guest RAM of " + bytes + " bytes");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aConfinedArenaIsRefused() {
        try (Arena confined = Arena.ofConfined()) {
            assertThatThrownBy(() -> GuestMemory.allocate(confined, MIB))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("confined");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"ANONYMOUS", "MEMFD"})
    void moreThanThereIs(Kind kind) throws IOException {
        needNative();
        long before = descriptors();
        assertThatThrownBy(() -> make(kind, 1L << 60))
                .isInstanceOf(OutOfMemoryError.class)
                .hasMessageMatching(
                        "the system does not give 1152921504606846976 bytes of guest RAM \\(error"
                                + " (12|27)\\): .*");
        assertThat(descriptors()).isEqualTo(before);
    }

    @Test
    void aMemfdIsForOthersToMap() throws IOException {
        needNative();
        GuestMemory memory = GuestMemory.shareable(arena, MIB);
        store(memory, 12345, 99);
        try (var other = FileChannel.open(memory.file().orElseThrow())) {
            assertThat(other.size()).isEqualTo(MIB);
            var seen = other.map(FileChannel.MapMode.READ_ONLY, 0, MIB, arena);
            assertThat(seen.get(ValueLayout.JAVA_BYTE, 12345)).isEqualTo((byte) 99);
        }
    }

    @Test
    void aFileIsMadeSparseAndPrivate() throws IOException {
        Path file = folder.resolve("ram");
        GuestMemory memory = GuestMemory.ofFile(arena, file, 64 * MIB);
        store(memory, 3, 1);
        assertThat(memory.file()).contains(file);
        assertThat(Files.size(file)).isEqualTo(64 * MIB);
        needNative(); // the JDK's own takes what the umask leaves
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(memory.block("ram", PAGE).isKnownZero(4 * MIB, 60 * MIB)).isTrue();
    }

    @Test
    void aFileThatIsThereKeepsWhatItHas() throws IOException {
        Path file = folder.resolve("ram");
        byte[] content = new byte[(int) MIB];
        content[70_000] = 5;
        Files.write(file, content);
        GuestMemory memory = GuestMemory.ofFile(arena, file, MIB);
        RamBlock block = memory.block("ram", PAGE);
        assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, 70_000)).isEqualTo((byte) 5);
        assertThat(block.isFresh()).isFalse();
        assertThat(block.isKnownZero(65536, 2 * PAGE)).isFalse();
        store(memory, 1, 6);
        assertThat(Files.readAllBytes(file)).startsWith(0, 6).hasSize((int) MIB);
    }

    @Test
    void aFileOfAnotherLengthIsRefused() throws IOException {
        Path file = Files.write(folder.resolve("ram"), new byte[PAGE + 1]);
        assertThatThrownBy(() -> GuestMemory.ofFile(arena, file, MIB))
                .isInstanceOf(IOException.class)
                .hasMessage("'%s' is to be guest RAM of 1048576 bytes, and has 4097", file);
        assertThat(Files.size(file)).isEqualTo(PAGE + 1);
    }

    @Test
    void whatIsNoFileIsRefused() throws Exception {
        needNative();
        long before = descriptors();
        assertThatThrownBy(() -> GuestMemory.ofFile(arena, folder, MIB))
                .isInstanceOf(IOException.class)
                .hasMessage("can't open '%s' to be guest RAM: error 21", folder);
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        assertThatThrownBy(() -> GuestMemory.ofFile(arena, pipe, MIB))
                .isInstanceOf(IOException.class)
                .hasMessage("'%s' is no plain file, as guest RAM must be", pipe);
        assertThat(descriptors()).isEqualTo(before);
    }

    /** The same, and nobody knows anything. */
    @ParameterizedTest
    @EnumSource
    void withoutNativeAccess(Kind kind) throws IOException {
        String before = System.setProperty("vmferry.native", "off");
        try {
            GuestMemory memory = make(kind, 4 * MIB);
            RamBlock block = memory.block("ram", PAGE);
            assertThat(block.isFresh()).isFalse();
            assertThat(block.isKnownZero(0, PAGE)).isFalse();
            store(memory, 4 * MIB - 1, 3);
            assertThat(memory.segment().get(ValueLayout.JAVA_BYTE, 4 * MIB - 1))
                    .isEqualTo((byte) 3);
            assertThat(memory.file().isPresent()).isEqualTo(kind == Kind.FILE);
        } finally {
            if (before == null) System.clearProperty("vmferry.native");
            else System.setProperty("vmferry.native", before);
        }
    }
}
