package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/** A host's RAM: docs/spi/ram.md. */
@Status(Status.Level.STABLE)
public abstract class RamProviderConformance extends Conformance {
    /** For the author's class. */
    protected RamProviderConformance() {}

    /**
     * Makes RAM.
     *
     * @return new, and nobody's; small blocks will do
     * @throws Exception if it can't be made
     */
    protected abstract RamProvider ram() throws Exception;

    /**
     * The target over such RAM.
     *
     * @param ram of {@link #ram()}
     * @return by default one that finds its blocks by name
     * @throws Exception if there can't be one
     */
    protected RamTarget target(RamProvider ram) throws Exception {
        return RamTarget.of(ram.blocks());
    }

    private static byte[] noise(int length, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) bytes[i] = (byte) random.nextInt();
        return bytes;
    }

    private static byte[] read(RamBlock block, long offset, int length) {
        byte[] bytes = new byte[length];
        block.read(offset, MemorySegment.ofArray(bytes));
        return bytes;
    }

    private static void write(RamBlock block, long offset, byte[] bytes) {
        block.write(offset, MemorySegment.ofArray(bytes));
    }

    private static BlockHeader header(RamBlock block, long length) {
        return new BlockHeader(block.id(), length, block.pageSize(), block.guestAddress());
    }

    @Test
    @Tag("MEM-1")
    final void namesAreUnique() throws Exception {
        Set<String> names = new HashSet<>();
        for (RamBlock block : ram().blocks()) {
            int length = block.id().getBytes(StandardCharsets.UTF_8).length;
            assertTrue(length >= 1 && length <= 255, "id(): of " + length + " bytes");
            assertTrue(names.add(block.id()), "id(): two blocks are named '" + block.id() + "'");
        }
    }

    @Test
    @Tag("MEM-2")
    final void lengthsAreWholePages() throws Exception {
        for (RamBlock block : ram().blocks()) {
            String where = "'" + block.id() + "' ";
            assertEquals(1, Integer.bitCount(block.pageSize()), where + "pageSize()");
            assertTrue(block.usedLength() > 0, where + "usedLength(): must be above 0");
            assertEquals(
                    0, block.usedLength() % block.pageSize(), where + "usedLength(): whole pages");
            assertTrue(
                    block.maximumLength() >= block.usedLength(),
                    where + "maximumLength(): less than is in use");
        }
    }

    @Test
    @Tag("MEM-3")
    final void blocksAreTheSame() throws Exception {
        RamProvider ram = ram();
        List<RamBlock> blocks = ram.blocks();
        assertEquals(blocks.size(), ram.blocks().size(), "blocks(): others at the next call");
        for (int i = 0; i < blocks.size(); i++)
            assertSame(blocks.get(i), ram.blocks().get(i), "blocks(): others at the next call");
    }

    @Test
    @Tag("MEM-4")
    final void whatIsWrittenIsRead() throws Exception {
        for (RamBlock block : ram().blocks()) {
            int size = block.pageSize();
            int length = (int) Math.min(block.usedLength(), 4L * size);
            byte[] whole = noise(length, 1);
            write(block, 0, whole);
            long[] offsets = {0, 1, size - 3, length - 100};
            for (int i = 0; i < offsets.length; i++) {
                byte[] piece = noise(Math.min(100, size), i + 2);
                int at = (int) Math.min(Math.max(offsets[i], 0), length - piece.length);
                write(block, at, piece);
                System.arraycopy(piece, 0, whole, at, piece.length);
                assertArrayEquals(
                        whole,
                        read(block, 0, length),
                        "'%s' read(), write(): at %d".formatted(block.id(), at));
            }
        }
    }

    @Test
    @Tag("MEM-5")
    final void memoryIsTheBlocksOwn() throws Exception {
        boolean any = false;
        for (RamBlock block : ram().blocks()) {
            Optional<MemorySegment> memory = block.memory();
            if (memory.isEmpty()) continue;
            any = true;
            String where = "'" + block.id() + "' memory(): ";
            MemorySegment bytes = memory.get();
            assertTrue(bytes.isNative(), where + "not native");
            assertTrue(bytes.byteSize() >= block.usedLength(), where + "too short");
            assertTrue(
                    bytes.isAccessibleBy(new Thread(() -> {})), where + "confined to one thread");
            write(block, 5, new byte[] {77});
            assertEquals(77, bytes.get(ValueLayout.JAVA_BYTE, 5), where + "not what write() wrote");
            bytes.set(ValueLayout.JAVA_BYTE, block.usedLength() - 1, (byte) 78);
            assertEquals(
                    78, read(block, block.usedLength() - 1, 1)[0], where + "not what read() reads");
        }
        needs(any, "memory(): no block has any");
    }

    @Test
    @Tag("MEM-6")
    final void manyThreadsAtOnce() throws Exception {
        boolean any = false;
        for (RamBlock block : ram().blocks()) {
            int size = block.pageSize();
            int pages = (int) Math.min(block.pages(), 64);
            if (pages < 4) continue;
            any = true;
            List<Call<Void>> threads = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int mine = i;
                threads.add(
                        begin(
                                () -> {
                                    for (int n = 0; n < 2000; n++) {
                                        int page = (4 * n + mine) % (pages / 4 * 4);
                                        byte[] bytes = noise(16, n);
                                        write(block, (long) page * size, bytes);
                                        assertArrayEquals(
                                                bytes,
                                                read(block, (long) page * size, 16),
                                                "read(), write(): threads are in each other's way");
                                    }
                                    return null;
                                }));
            }
            for (Call<Void> thread : threads) end(thread, "read(), write(): hang");
        }
        needs(any, "ram(): no block has 4 pages");
    }

    @Test
    @Tag("MEM-7")
    final void whatIsFreshIsZero() throws Exception {
        boolean any = false;
        for (RamBlock block : ram().blocks()) {
            if (!block.isFresh()) continue;
            any = true;
            for (long page = 0; page < block.pages(); page++) {
                assertArrayEquals(
                        new byte[block.pageSize()],
                        read(block, page * block.pageSize(), block.pageSize()),
                        "'%s' isFresh(): page %d is not zero".formatted(block.id(), page));
            }
        }
        needs(any, "isFresh(): no block is");
    }

    @Test
    @Tag("MEM-11")
    final void whatIsKnownToBeZeroIsZero() throws Exception {
        boolean any = false;
        for (RamBlock block : ram().blocks()) {
            int size = block.pageSize();
            for (long at = 0; at < block.usedLength(); at += size) {
                if (!block.isKnownZero(at, size)) continue;
                any = true;
                assertArrayEquals(
                        new byte[size],
                        read(block, at, size),
                        "'%s' isKnownZero(): page %d is not".formatted(block.id(), at / size));
            }
        }
        needs(any, "isKnownZero(): no page is");
    }

    @Test
    @Tag("MEM-8")
    final void theTargetOpensWhatIsAnnounced() throws Exception {
        RamProvider ram = ram();
        RamTarget target = target(ram);
        for (RamBlock block : ram.blocks()) {
            RamBlock open = target.open(header(block, block.usedLength()));
            assertEquals(block.id(), open.id(), "open(): another block");
            assertEquals(
                    block.usedLength(), open.usedLength(), "open(): '" + block.id() + "': length");
            byte[] bytes = noise(block.pageSize(), 1);
            write(open, 0, bytes);
            assertArrayEquals(
                    bytes,
                    read(block, 0, block.pageSize()),
                    "open(): what is written to '" + block.id() + "' is not in the machine's RAM");
        }
    }

    @Test
    @Tag("MEM-9")
    final void theTargetRefusesWhatItHasNot() throws Exception {
        RamProvider ram = ram();
        RamTarget target = target(ram);
        RamBlock block = ram.blocks().getFirst();
        refused(
                "open(): a block that the machine can't have",
                () ->
                        target.open(
                                new BlockHeader(
                                        "no such block",
                                        block.pageSize(),
                                        block.pageSize(),
                                        block.guestAddress())),
                MigrationException.class);
        refused(
                "open(): a length over maximumLength()",
                () -> target.open(header(block, block.maximumLength() + block.pageSize())),
                MigrationException.class);
    }

    @Test
    @Tag("MEM-10")
    final void adoptedMemoryIsTheBlocks() throws Exception {
        RamProvider ram = ram();
        RamTarget target = target(ram);
        boolean any = false;
        for (RamBlock block : ram.blocks()) {
            BlockHeader header = header(block, block.usedLength());
            Optional<Arena> arena = target.adopts(header);
            if (arena.isEmpty()) continue;
            any = true;
            MemorySegment memory = arena.get().allocate(block.usedLength(), block.pageSize());
            RamBlock adopted = target.adopt(header, memory);
            memory.set(ValueLayout.JAVA_BYTE, 3, (byte) 55);
            assertEquals(
                    55, read(adopted, 3, 1)[0], "adopt(): '" + block.id() + "' has other memory");
        }
        needs(any, "adopts(): takes no block");
    }
}
