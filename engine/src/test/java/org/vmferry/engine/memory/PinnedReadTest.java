package org.vmferry.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A host's disk, read into RAM past the page cache: its pages are pinned, and stored to late. */
class PinnedReadTest {
    private static final int PAGE = 4096;
    private static final int BYTES = 8 << 20;
    private static final int PIECE = 256 << 10;
    private static final int ATTEMPTS = 40;

    @TempDir Path folder;
    private Path disk;

    @BeforeEach
    void makeDisk() throws Exception {
        disk = folder.resolve("disk");
        byte[] bytes = new byte[BYTES];
        Arrays.fill(bytes, (byte) 7);
        Files.write(disk, bytes);
        try (Arena arena = Arena.ofConfined();
                FileChannel direct = open()) {
            direct.read(arena.allocate(PAGE, PAGE).asByteBuffer(), 0);
        } catch (IOException | UnsupportedOperationException e) {
            assumeTrue(false, "reads no file past the page cache here: " + e.getMessage());
        }
        try (Arena arena = Arena.ofShared()) {
            RamBlock any = RamBlock.of("any", arena.allocate(PAGE, PAGE), PAGE);
            KernelDirtyLog.obstacle(any).ifPresent(why -> assumeTrue(false, why));
        }
    }

    /** By its name: whoever uses the JDK's own option otherwise is warned by the compiler. */
    private FileChannel open() throws IOException {
        try {
            Class<?> options = Class.forName("com.sun.nio.file.ExtendedOpenOption");
            OpenOption direct = (OpenOption) options.getField("DIRECT").get(null);
            return FileChannel.open(disk, StandardOpenOption.READ, direct);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    @Tag("DLG-9")
    void aMarkTellsOfWhatCame() throws Exception {
        for (int i = 0; i < ATTEMPTS / 4; i++) assertThat(lost(true)).isZero();
    }

    /** Why there is a mark: this is what the kernel does not see. */
    @Test
    void withoutOneStoresGetLost() throws Exception {
        long lost = 0;
        for (int i = 0; i < ATTEMPTS && lost == 0; i++) lost = lost(false);
        assumeTrue(lost > 0, "no read was in flight over a harvest");
    }

    /** Pages that a copy lacks which is made in rounds, while the disk is read. */
    private long lost(boolean marks) throws Exception {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(BYTES, PAGE);
            MemorySegment copy = arena.allocate(BYTES, PAGE);
            KernelDirtyLog log = new KernelDirtyLog(List.of(RamBlock.of("a", memory, PAGE)));
            log.start();
            CompletableFuture<Void> read =
                    CompletableFuture.runAsync(() -> read(memory, log, marks));
            while (!read.isDone()) round(log, memory, copy);
            read.get();
            round(log, memory, copy);
            log.stop();
            long lost = 0;
            for (long at = 0; at < BYTES; at += PAGE) {
                if (memory.asSlice(at, PAGE).mismatch(copy.asSlice(at, PAGE)) >= 0) lost++;
            }
            return lost;
        }
    }

    private void read(MemorySegment memory, KernelDirtyLog log, boolean marks) {
        try (FileChannel direct = open()) {
            for (long at = 0; at < BYTES; at += PIECE) {
                direct.read(memory.asSlice(at, PIECE).asByteBuffer(), at);
                if (marks) log.mark(log.blocks().getFirst(), at, PIECE);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void round(KernelDirtyLog log, MemorySegment memory, MemorySegment copy) {
        PageBitmap dirty = new PageBitmap(BYTES / PAGE);
        log.harvest(log.blocks().getFirst(), dirty);
        for (long page = dirty.nextSet(0); page < dirty.pages(); page = dirty.nextSet(page + 1)) {
            MemorySegment.copy(memory, page * PAGE, copy, page * PAGE, PAGE);
        }
    }
}
