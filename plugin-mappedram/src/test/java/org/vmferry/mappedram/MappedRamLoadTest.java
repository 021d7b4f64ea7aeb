package org.vmferry.mappedram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vmferry.mappedram.MiniEngine.PAGE;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.TestMain;
import org.vmferry.spi.doubles.TestSession;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;

import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/** What a load makes of files that an independent writer wrote, stale bytes and all. */
class MappedRamLoadTest {
    private static final List<String> IDS = List.of("pc.ram", "one", "vga.vram");
    private static final int[] PAGES = {1100, 1, 64};

    @TempDir Path folder;

    private final List<byte[]> ram = new ArrayList<>();
    private List<PlainFile.Block> blocks;

    /** Random runs of present pages, holes, and stale bytes behind clear bits. */
    private Path foreignFile(long start, long seed) throws Exception {
        Random random = new Random(seed);
        List<byte[]> areas = new ArrayList<>();
        List<boolean[]> present = new ArrayList<>();
        for (int pages : PAGES) {
            byte[] area = new byte[pages * PAGE];
            byte[] content = new byte[pages * PAGE];
            boolean[] bits = new boolean[pages];
            for (int page = 0; page < pages; ) {
                int kind = random.nextInt(4);
                for (int n = 1 + random.nextInt(40); n > 0 && page < pages; n--, page++) {
                    if (kind == 0) continue; // a hole
                    byte[] bytes = new byte[PAGE];
                    if (kind != 1) random.nextBytes(bytes); // 1: written as zeros
                    System.arraycopy(bytes, 0, area, page * PAGE, PAGE);
                    bits[page] = kind != 2; // 2: stale
                    if (bits[page]) System.arraycopy(bytes, 0, content, page * PAGE, PAGE);
                }
            }
            areas.add(area);
            present.add(bits);
            ram.add(content);
        }
        Path path = folder.resolve("foreign");
        blocks = PlainFile.write(path, start, IDS, areas, present);
        return path;
    }

    @ParameterizedTest
    @CsvSource({
        "SEGMENT, false, 0", "SEGMENT, true, 0", "UNALIGNED, false, 5", "UNALIGNED, true, 777",
        "BYTES, false, 0", "BYTES, true, 3", "INTS, false, 1", "INTS, true, 4096"
    })
    @Tag("MAP-1")
    @Tag("MAP-4")
    @Tag("MAP-5")
    @Tag("MAP-9")
    @Tag("MAP-14")
    @Tag("MAP-15")
    void staleBytesNeverReachRam(Hosts host, boolean direct, long start) throws Exception {
        Path path = foreignFile(start, start + 2);
        try (Arena arena = Arena.ofShared();
                TestMain in = new TestMain(path, start)) {
            List<RamBlock> targets = new ArrayList<>();
            for (int i = 0; i < IDS.size(); i++) {
                RamBlock block = host.block(IDS.get(i), PAGES[i], arena);
                byte[] garbage = new byte[PAGES[i] * PAGE];
                Arrays.fill(garbage, (byte) 0x5a);
                Rams.write(block, 0, garbage);
                targets.add(block);
            }
            TestSession session = MiniEngine.session(direct);
            MiniEngine.load(in, session, RamTarget.of(targets));
            for (int i = 0; i < IDS.size(); i++)
                assertThat(Rams.content(targets.get(i))).isEqualTo(ram.get(i));
            assertThat(session.normal.sum() + session.zero.sum())
                    .isEqualTo(Arrays.stream(PAGES).sum());
            if (!direct) assertThat(session.bytes.sum()).isEqualTo(session.normal.sum() * PAGE);
        }
    }

    /** A block that is no native memory and counts the pages that are written to it. */
    private static final class CountingBlock extends ForwardingBlock {
        private final AtomicLong written;

        CountingBlock(RamBlock block, AtomicLong written) {
            super(block);
            this.written = written;
        }

        @Override
        public Optional<MemorySegment> memory() {
            return Optional.empty();
        }

        @Override
        public void write(long offset, MemorySegment source) {
            written.addAndGet(source.byteSize() / PAGE);
            super.write(offset, source);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("MAP-9")
    void sparseBlocksStaySparse(boolean direct) throws Exception {
        Path path = foreignFile(0, 4);
        try (TestMain in = new TestMain(path, 0)) {
            AtomicLong written = new AtomicLong();
            List<RamBlock> targets = new ArrayList<>();
            for (int i = 0; i < IDS.size(); i++) {
                RamBlock block = Hosts.BYTES.block(IDS.get(i), PAGES[i], null);
                targets.add(new CountingBlock(block, written));
            }
            TestSession session = MiniEngine.session(direct);
            MiniEngine.load(in, session, RamTarget.of(targets));
            for (int i = 0; i < IDS.size(); i++)
                assertThat(Rams.content(targets.get(i))).isEqualTo(ram.get(i));
            assertThat(written.get()).isEqualTo(session.normal.sum());
        }
    }

    @Test
    @Tag("MAP-8")
    void aFileThatBecomesShorterIsNamed() throws Exception {
        try (Arena arena = Arena.ofShared();
                TestMain in = new TestMain(folder.resolve("f"), 0);
                Staging staging = new Staging()) {
            RamBlock block = Hosts.SEGMENT.block("b", 4, arena);
            BlockHeader header = new BlockHeader("b", 4 * PAGE, PAGE, OptionalLong.empty());
            PageBitmap present = new PageBitmap(4);
            present.setAll();
            MappedRamHeader lies = new MappedRamHeader(1, PAGE, 28, 1 << 20);
            Area area = new Area(block, new MappedRamBlock(header, 0, lies), present);
            in.buffered.write(ByteBuffer.allocate(3 * PAGE - 1), 1 << 20);
            LoadMover mover =
                    new LoadMover(Map.of("b", area), in.buffered, MiniEngine.session(false));
            mover.move(new Run(block, 0, 2), staging);
            assertThatThrownBy(() -> mover.move(new Run(block, 2, 2), staging))
                    .isInstanceOfSatisfying(
                            MigrationException.class,
                            e -> assertThat(e.blame()).isEqualTo(Blame.PEER))
                    .hasMessageContaining("it was longer before")
                    .hasMessageContaining("ends at " + ((1 << 20) + 3 * PAGE - 1));
        }
    }

    @Test
    @Tag("MAP-15")
    void directReadsBridgeGaps() throws Exception {
        byte[] area = new byte[1024 * PAGE];
        Arrays.fill(area, (byte) 1);
        boolean[] present = new boolean[1024];
        for (int page = 0; page < 512; page += 2) present[page] = true;
        present[1000] = true;
        Path path = folder.resolve("f");
        PlainFile.write(path, 0, List.of("b"), List.of(area), List.of(present));
        try (Arena arena = Arena.ofShared();
                TestMain in = new TestMain(path, 0)) {
            RamBlock block = Hosts.SEGMENT.block("b", 1024, arena);
            MiniEngine.load(in, MiniEngine.session(true), RamTarget.of(List.of(block)));
            assertThat(in.direct.reads.get()).isEqualTo(3);
            byte[] content = Rams.content(block);
            for (int page = 0; page < 1024; page++)
                assertThat(content[page * PAGE]).isEqualTo((byte) (present[page] ? 1 : 0));
        }
    }

    @Test
    @Tag("MAP-9")
    @Tag("MAP-12")
    void foreignFileIsMappedAndStaleBytesCleared() throws Exception {
        Path path = foreignFile(33, 5);
        try (Arena arena = Arena.ofShared();
                TestMain in = new TestMain(path, 33)) {
            MappingTarget target = new MappingTarget(arena);
            MiniEngine.load(in, MiniEngine.session(false), target);
            assertThat(target.opened).isZero();
            assertThat(in.buffered.holeQuestions.get()).isPositive();
            for (int i = 0; i < IDS.size(); i++)
                assertThat(target.content(IDS.get(i))).isEqualTo(ram.get(i));
            // The mapping is private: the file is as it was.
            assertThat(PlainFile.content(path, blocks.getFirst())).isEqualTo(ram.getFirst());
        }
    }

    @Test
    @Tag("MAP-12")
    void whatCanNotBeMappedIsCopied() throws Exception {
        Path path = foreignFile(0, 6);
        try (Arena arena = Arena.ofShared();
                TestMain in = new TestMain(path, 0)) {
            in.buffered.mappable = false;
            MappingTarget target = new MappingTarget(arena);
            MiniEngine.load(in, MiniEngine.session(false), target);
            assertThat(target.opened).isEqualTo(IDS.size());
            for (int i = 0; i < IDS.size(); i++)
                assertThat(target.content(IDS.get(i))).isEqualTo(ram.get(i));
        }
    }

    @Test
    @Tag("MAP-10")
    @Tag("MAP-11")
    @Tag("MAP-12")
    void ownFileIsTrustedUntilItsBitmapIsChanged() throws Exception {
        Path path = folder.resolve("ours");
        try (Arena arena = Arena.ofShared();
                TestMain main = new TestMain(path, 0)) {
            RamBlock block = Hosts.SEGMENT.block("b", 700, arena);
            for (int page = 0; page < 700; page += 3) Rams.fill(block, page, page | 1);
            List<RamBlock> saved = List.of(block);
            MiniEngine.save(main, MiniEngine.session(false), saved, MiniEngine.everything(saved));

            main.seek(0);
            int before = main.buffered.holeQuestions.get();
            MappingTarget target = new MappingTarget(arena);
            MiniEngine.load(main, MiniEngine.session(false), target);
            assertThat(main.buffered.holeQuestions.get()).isEqualTo(before);
            assertThat(target.content("b")).isEqualTo(Rams.content(block));

            // Somebody clears page 3's bit: its bytes are stale now, and the mark no longer holds.
            PlainFile.Block found = PlainFile.read(path, 0).getFirst();
            try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
                file.seek(found.bitmapAt);
                file.writeByte(found.bitmap[0] & ~8);
            }
            Rams.fill(block, 3, 0);
            main.seek(0);
            target = new MappingTarget(arena);
            MiniEngine.load(main, MiniEngine.session(false), target);
            assertThat(main.buffered.holeQuestions.get()).isGreaterThan(before);
            assertThat(target.content("b")).isEqualTo(Rams.content(block));
        }
    }

    @Test
    @Tag("MAP-8")
    void hostThatOpensAnotherBlockIsNamed() throws Exception {
        Path path = foreignFile(0, 7);
        try (TestMain in = new TestMain(path, 0)) {
            RamBlock small = Hosts.BYTES.block("pc.ram", 2, null);
            assertThatThrownBy(
                            () -> MiniEngine.load(in, MiniEngine.session(false), header -> small))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("pc.ram")
                    .hasMessageContaining("8192");
        }
    }
}
