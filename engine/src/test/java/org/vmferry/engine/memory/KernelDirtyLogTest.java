package org.vmferry.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.system.Descriptors;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/** What the kernel sees of stores, and what it says of pages that nobody stored to. */
class KernelDirtyLogTest {
    private static final int PAGE = 4096;
    private static final int PAGES = 64;

    @TempDir Path folder;
    private final Arena arena = Arena.ofShared();
    private final List<KernelDirtyLog> logs = new ArrayList<>();

    @BeforeEach
    void theKernelWatches() {
        RamBlock any = RamBlock.of("any", arena.allocate(PAGE, PAGE), PAGE);
        KernelDirtyLog.obstacle(any).ifPresent(why -> assumeTrue(false, why));
    }

    /** Memory that is watched and given back would be watched in its next use. */
    @AfterEach
    void close() {
        logs.forEach(KernelDirtyLog::stop);
        arena.close();
    }

    private MemorySegment memory() {
        return arena.allocate((long) PAGES * PAGE, PAGE);
    }

    /** A log that is stopped at the end, whatever comes. */
    private KernelDirtyLog log(RamBlock block) {
        KernelDirtyLog log = new KernelDirtyLog(List.of(block));
        logs.add(log);
        return log;
    }

    private static RamBlock block(String id, MemorySegment memory) {
        return RamBlock.of(id, memory, PAGE);
    }

    private static List<Long> harvest(KernelDirtyLog log) {
        RamBlock block = log.blocks().getFirst();
        PageBitmap dirty = new PageBitmap(block.pages());
        log.harvest(block, dirty);
        return LongStream.range(0, block.pages()).filter(dirty::get).boxed().toList();
    }

    /** Compiled code has no barrier that tells of a store. */
    @Test
    void compiledCodesStoresAreSeen() {
        MemorySegment memory = memory();
        for (int i = 0; i < 100_000; i++) put(memory, i % (PAGES * PAGE), i); // it is compiled now
        KernelDirtyLog log = log(block("a", memory));
        log.start();
        for (int i = 0; i < 100_000; i++) put(memory, 5 * PAGE + i % PAGE, i);
        assertThat(harvest(log)).containsExactly(5L);
        assertThat(harvest(log)).isEmpty();
    }

    private static void put(MemorySegment memory, long offset, int value) {
        memory.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
    }

    @Test
    void unsafesStoresAreSeen() throws Exception {
        MemorySegment memory = memory();
        // By its name: whoever uses it otherwise is warned by the compiler.
        Class<?> type = Class.forName("sun.misc.Unsafe");
        Field field = type.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        Object unsafe = field.get(null);
        Method putLong = type.getMethod("putLong", long.class, long.class);
        Method setMemory = type.getMethod("setMemory", long.class, long.class, byte.class);
        KernelDirtyLog log = log(block("a", memory));
        log.start();
        putLong.invoke(unsafe, memory.address() + 7 * PAGE - 4, -1L); // across two pages
        setMemory.invoke(unsafe, memory.address() + 9 * PAGE, 1L, (byte) 1);
        assertThat(harvest(log)).containsExactly(6L, 7L, 9L);
    }

    @Test
    void nativeCodesStoresAreSeen() throws Throwable {
        MemorySegment memory = memory();
        MethodHandle memset =
                NativeCalls.handle(
                        "memset",
                        FunctionDescriptor.of(
                                ValueLayout.ADDRESS,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG));
        KernelDirtyLog log = log(block("a", memory));
        log.start();
        var ignored =
                (MemorySegment)
                        memset.invokeExact(
                                arena.allocate(NativeCalls.ERRNO),
                                memory.asSlice(3 * PAGE + 1),
                                1,
                                2L * PAGE);
        assertThat(harvest(log)).containsExactly(3L, 4L, 5L);
    }

    @Test
    void theKernelsCopiesAreSeen() throws Exception {
        MemorySegment memory = memory();
        Path file = folder.resolve("disk");
        Files.write(file, new byte[3 * PAGE]);
        KernelDirtyLog log = log(block("a", memory));
        log.start();
        try (FileChannel disk = FileChannel.open(file)) {
            disk.read(memory.asSlice(PAGE, PAGE).asByteBuffer(), PAGE);
            disk.read(memory.asSlice(8 * PAGE, 2).asByteBuffer());
        }
        assertThat(harvest(log)).containsExactly(1L, 8L);
    }

    /** A block over the JDK's own memory begins wherever that gave it. */
    @Test
    void aBlockAtNoPagesBorderIsWatchedAsAWhole() {
        MemorySegment memory = arena.allocate(10 * PAGE + 16, 8).asSlice(8, 9 * PAGE);
        assertThat(memory.address() % PAGE).isNotZero();
        KernelDirtyLog log = log(block("a", memory));
        log.start();
        for (long page : List.of(0L, 8L)) {
            put(memory, page * PAGE, 1);
            put(memory, page * PAGE + PAGE - 1, 1);
        }
        // A page of the system holds parts of two of the block's, or of others' memory.
        assertThat(harvest(log)).contains(0L, 8L).doesNotContain(4L);
        assertThat(harvest(log)).doesNotContain(4L);
    }

    @Test
    void largePagesOfTheGuestAreMarkedWhole() {
        MemorySegment memory = memory();
        KernelDirtyLog log = log(RamBlock.of("a", memory, 4 * PAGE));
        log.start();
        put(memory, 6 * PAGE, 1);
        assertThat(harvest(log)).containsExactly(1L);
    }

    /** RAM that a snapshot's file is mapped as: a page is the file's until it is stored to. */
    @Test
    void ramOfAFilesPrivateMappingIsWatched() throws Exception {
        MemorySegment memory = map(MapMode.PRIVATE);
        RamBlock block = block("a", memory);
        KernelDirtyLog log = log(block);
        log.start();
        RamBlock watched = log.blocks().getFirst();
        assertThat(watched.isKnownZero(0, PAGE)).isFalse(); // the file has something there
        assertThat(memory.get(ValueLayout.JAVA_BYTE, 2 * PAGE)).isEqualTo((byte) 1);
        put(memory, 3 * PAGE, 2);
        assertThat(harvest(log)).containsExactly(3L);
    }

    private MemorySegment map(MapMode mode) throws IOException {
        Path file = folder.resolve("ram");
        byte[] bytes = new byte[PAGES * PAGE];
        Arrays.fill(bytes, (byte) 1);
        Files.write(file, bytes);
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return channel.map(mode, 0, bytes.length, arena);
        }
    }

    /** Others' stores would get lost in silence; so it is the host that knows of none. */
    @Test
    void sharedMemoryIsRefusedUnlessTheHostSaysThatItIsAlone() throws Exception {
        MemorySegment memory = map(MapMode.READ_WRITE);
        RamBlock block = block("a", memory);
        assertThat(KernelDirtyLog.obstacle(block)).get().asString().contains("mapped shared");
        assertThatThrownBy(() -> new KernelDirtyLog(List.of(block)))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessage(
                        "RAM block 'a': it is mapped shared, so that others may write to it, too");
        assertThat(new ObservedRam(List.of(block)).compared()).containsKey("a");
        KernelDirtyLog log = KernelDirtyLog.writtenHereAlone(List.of(block));
        log.start();
        put(memory, 0, 2);
        assertThat(harvest(log)).containsExactly(0L);
    }

    @Test
    void whatIsNoNativeMemoryIsCompared() {
        RamBlock array = block("array", MemorySegment.ofArray(new byte[PAGE]));
        assertThat(KernelDirtyLog.obstacle(array)).contains("it is no native memory");
        ObservedRam ram = new ObservedRam(List.of(array, block("a", memory())));
        assertThat(ram.compared()).containsOnlyKeys("array");
        assertThat(ram.blocks()).extracting(RamBlock::id).containsExactly("array", "a");
    }

    /** Whose stores would be whose? */
    @Test
    void blocksThatShareAPageOfTheSystemAreNotBothWatched() {
        MemorySegment memory = arena.allocate(4 * PAGE, PAGE);
        RamBlock one = RamBlock.of("one", memory.asSlice(0, PAGE + 1024), 1024);
        RamBlock two = RamBlock.of("two", memory.asSlice(PAGE + 1024, 1024), 1024);
        assertThatThrownBy(() -> new KernelDirtyLog(List.of(one, two)))
                .hasMessage("RAM block 'two': it shares a page of the system with 'one'");
        assertThat(new ObservedRam(List.of(one, two)).compared()).containsOnlyKeys("two");
    }

    /** Sparse RAM stays sparse, and a page given back is a page that changed. */
    @Test
    @Tag("MEM-11")
    void absentPagesAreZeroUntilSomebodyStores() throws Throwable {
        MemorySegment memory = GuestMemory.allocate(arena, 64L << 20).segment();
        KernelDirtyLog log = log(block("a", memory));
        RamBlock block = log.blocks().getFirst();
        put(memory, 20 * PAGE, 1);
        assertThat(block.isKnownZero(30 * PAGE, PAGE)).isFalse(); // nobody watches
        log.start();
        assertThat(block.isKnownZero(20 * PAGE, PAGE)).isFalse();
        assertThat(block.isKnownZero(4096L * PAGE, 1 << 20)).isTrue();
        put(memory, 4100L * PAGE, 1);
        assertThat(harvest(log)).containsExactly(4100L);
        assertThat(block.isKnownZero(4096L * PAGE, 1 << 20)).isFalse();
        assertThat(block.isKnownZero(4101L * PAGE, PAGE)).isTrue();
        log.mark(block, 4101L * PAGE, 1);
        assertThat(block.isKnownZero(4101L * PAGE, PAGE)).isFalse();
        assertThat(harvest(log)).containsExactly(4101L);
        Advice.giveBack(memory.asSlice(4100L * PAGE, PAGE));
        assertThat(harvest(log)).containsExactly(4100L);
        assertThat(block.isKnownZero(4100L * PAGE, PAGE)).isTrue();
        log.stop();
        assertThat(block.isKnownZero(4101L * PAGE, PAGE)).isFalse();
    }

    /** A page that was swapped out is no absent one. */
    @Test
    void aSwappedPageIsNotZero() throws Throwable {
        MemorySegment memory = arena.allocate(4L << 20, 2 << 20);
        memory.fill((byte) 1);
        Advice.swapOut(memory);
        KernelDirtyLog log = log(block("a", memory));
        log.start();
        RamBlock block = log.blocks().getFirst();
        for (long page = 0; page < block.pages(); page++) {
            assertThat(block.isKnownZero(page * PAGE, PAGE)).isFalse();
        }
        put(memory, 3 * PAGE, 2);
        Advice.swapOut(memory);
        assertThat(harvest(log)).containsExactly(3L);
        Advice.swapOut(memory);
        assertThat(harvest(log)).isEmpty();
    }

    @Test
    void twoLogsOfTheSameMemoryAreRefused() {
        RamBlock block = block("a", memory());
        KernelDirtyLog one = log(block);
        KernelDirtyLog other = log(block);
        one.start();
        assertThatThrownBy(other::start)
                .isInstanceOfSatisfying(
                        UncheckedIOException.class,
                        e -> {
                            MigrationException why = MigrationException.of(e);
                            assertThat(why.blame()).isEqualTo(Blame.HOST);
                            assertThat(why)
                                    .hasMessage(
                                            "the guest's RAM can't be watched: the kernel does not"
                                                    + " watch this memory: error 16");
                        });
        one.stop();
        other.start();
        other.stop();
    }

    @Test
    void nothingIsLeftOpen() throws Exception {
        KernelDirtyLog log = log(block("a", memory()));
        log.start();
        log.stop();
        long before = open();
        for (int i = 0; i < 5; i++) {
            log.start();
            harvest(log);
            log.stop();
            harvest(log); // another thread's may come late
            log.stop();
        }
        assertThat(open()).isEqualTo(before);
    }

    private static long open() throws IOException {
        return Descriptors.open("userfaultfd").size() + Descriptors.open("pagemap").size();
    }

    @Test
    void whereNativeCallsAreOffAllIsCompared() {
        RamBlock block = block("a", memory());
        System.setProperty("vmferry.native", "off");
        try {
            assertThat(KernelDirtyLog.obstacle(block)).get().asString().contains("not allowed");
            assertThat(new ObservedRam(List.of(block)).compared()).containsOnlyKeys("a");
        } finally {
            System.clearProperty("vmferry.native");
        }
    }
}
