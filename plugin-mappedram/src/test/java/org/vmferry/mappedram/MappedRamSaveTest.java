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
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.TestFile;
import org.vmferry.spi.doubles.TestMain;
import org.vmferry.spi.doubles.TestSession;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.transport.ForwardingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;

/** What a save writes, as an independent reader sees it. */
class MappedRamSaveTest {
    @TempDir Path folder;

    private static void randomise(RamBlock block, Random random) {
        byte[] page = new byte[PAGE];
        for (long i = 0; i < block.pages(); ) {
            boolean zero = random.nextBoolean();
            for (int n = 1 + random.nextInt(20); n > 0 && i < block.pages(); n--, i++) {
                if (zero) continue;
                random.nextBytes(page);
                // Some pages differ from zero in one byte only.
                if (random.nextInt(4) == 0) {
                    page = new byte[PAGE];
                    page[random.nextInt(PAGE)] = 1;
                }
                block.write(i * PAGE, MemorySegment.ofArray(page));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "SEGMENT, false, 0", "SEGMENT, true, 0", "UNALIGNED, false, 5", "UNALIGNED, true, 777",
        "BYTES, false, 0", "BYTES, true, 3", "INTS, false, 1", "INTS, true, 4096"
    })
    @Tag("MAP-1")
    @Tag("MAP-2")
    @Tag("MAP-3")
    @Tag("MAP-4")
    @Tag("MAP-5")
    @Tag("MAP-7")
    @Tag("MAP-10")
    @Tag("MAP-14")
    void independentReaderFindsTheRam(Hosts host, boolean direct, long start) throws Exception {
        Path path = folder.resolve("f");
        try (Arena arena = Arena.ofShared();
                TestMain out = new TestMain(path, start)) {
            List<RamBlock> blocks =
                    List.of(
                            host.block("pc.ram", 1000, arena),
                            host.block("odd", 1, arena),
                            host.block("/rom@etc/acpi/tables", 64, arena));
            Random random = new Random(start + 1);
            blocks.forEach(b -> randomise(b, random));
            TestSession session = MiniEngine.session(direct);
            MiniEngine.save(out, session, blocks, MiniEngine.everything(blocks));

            List<PlainFile.Block> found = PlainFile.read(path, start);
            assertThat(found).extracting(b -> b.id).isEqualTo(ids(blocks));
            for (int i = 0; i < blocks.size(); i++) {
                PlainFile.Block block = found.get(i);
                assertThat(block.bitmapAt).isEqualTo(block.headerAt + 28);
                assertThat(block.pagesAt % (1 << 20)).isZero();
                assertThat(block.pagesAt - block.bitmapAt - block.bitmap.length)
                        .isBetween(16L, (1L << 20) + 15);
                byte[] ram = Rams.content(blocks.get(i));
                assertThat(PlainFile.content(path, block)).isEqualTo(ram);
                // Bit 0 means a hole: the area alone, mapped, is the RAM.
                assertThat(PlainFile.area(path, block)).isEqualTo(ram);
                if (!direct) assertOnlyNonZeroPagesHaveBits(block, ram);
            }
            assertThat(session.normal.sum() + session.zero.sum()).isEqualTo(1065);
            assertThat(session.permitted.sum()).isEqualTo(session.bytes.sum());
            if (!direct) assertThat(session.bytes.sum()).isEqualTo(session.normal.sum() * PAGE);
        }
    }

    private static List<String> ids(List<RamBlock> blocks) {
        return blocks.stream().map(RamBlock::id).toList();
    }

    private static void assertOnlyNonZeroPagesHaveBits(PlainFile.Block block, byte[] ram) {
        for (int page = 0; page < ram.length / PAGE; page++) {
            boolean zero = true;
            for (int i = 0; i < PAGE; i++) zero &= ram[page * PAGE + i] == 0;
            assertThat(block.present(page)).as("page %d", page).isEqualTo(!zero);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("MAP-14")
    void transfersAreFew(boolean direct) throws Exception {
        try (Arena arena = Arena.ofShared();
                TestMain out = new TestMain(folder.resolve("f"), 0)) {
            RamBlock block = Hosts.SEGMENT.block("b", 1024, arena);
            // Full; every second page; the longest gap that is bridged; the shortest that is not,
            // and a
            // long one; full again.
            for (int page = 0; page < 256; page++) Rams.fill(block, page, 1);
            for (int page = 256; page < 512; page += 2) Rams.fill(block, page, 2);
            Rams.fill(block, 512, 3);
            Rams.fill(block, 512 + 33, 3);
            Rams.fill(block, 545 + 34, 3);
            Rams.fill(block, 700, 4);
            for (int page = 768; page < 1024; page++) Rams.fill(block, page, 5);
            List<RamBlock> blocks = List.of(block);
            int[] writes = new int[1];
            TestFile file = direct ? out.direct : out.buffered;
            MiniEngine.save(
                    out,
                    MiniEngine.session(direct),
                    blocks,
                    saver -> {
                        int before = file.writes.get();
                        try (Staging staging = new Staging()) {
                            MiniEngine.move(saver, new Run(block, 0, 1024), staging);
                        }
                        writes[0] = file.writes.get() - before;
                    });
            assertThat(writes[0]).isEqualTo(direct ? 6 : 1 + 128 + 4 + 1);
        }
    }

    @Test
    @Tag("MAP-10")
    void whatIsKnownToBeZeroIsWrittenWhereItWasMore() throws Exception {
        Path path = folder.resolve("f");
        boolean[] known = new boolean[1];
        try (Arena arena = Arena.ofShared();
                TestMain out = new TestMain(path, 0)) {
            RamBlock block =
                    new ForwardingBlock(Hosts.SEGMENT.block("b", 300, arena)) {
                        @Override
                        public boolean isKnownZero(long offset, long bytes) {
                            return known[0];
                        }
                    };
            TestSession session = MiniEngine.session(false);
            Rams.fill(block, 3, 9);
            MiniEngine.save(
                    out,
                    session,
                    List.of(block),
                    saver -> {
                        try (Staging staging = new Staging()) {
                            MiniEngine.move(saver, new Run(block, 0, 300), staging);
                            Rams.fill(block, 3, 0);
                            known[0] = true;
                            MiniEngine.move(saver, new Run(block, 0, 300), staging);
                        }
                    });
            PlainFile.Block found = PlainFile.read(path, 0).getFirst();
            assertThat(PlainFile.content(path, found)).containsOnly(0);
            assertThat(session.normal.sum()).isEqualTo(1);
            assertThat(session.zero.sum()).isEqualTo(599);
        }
    }

    @Test
    @Tag("MAP-10")
    void aPagesBitIsSetBeforeItIsWritten() throws Exception {
        try (Arena arena = Arena.ofShared();
                TestMain out = new TestMain(folder.resolve("f"), 0);
                Staging staging = new Staging()) {
            RamBlock block = Hosts.SEGMENT.block("b", 4, arena);
            Rams.fill(block, 2, 9);
            BlockHeader header = new BlockHeader("b", 4 * PAGE, PAGE, OptionalLong.empty());
            MappedRamHeader lies = new MappedRamHeader(1, PAGE, 28, 1 << 20);
            PageBitmap present = new PageBitmap(4);
            Area area = new Area(block, new MappedRamBlock(header, 0, lies), present);
            List<Boolean> set = new ArrayList<>();
            PositionedFile file =
                    new ForwardingFile(out.buffered) {
                        @Override
                        public void write(ByteBuffer source, long position) throws IOException {
                            set.add(present.get(2));
                            super.write(source, position);
                        }
                    };
            new SaveMover(Map.of("b", area), file, MiniEngine.session(false))
                    .move(new Run(block, 0, 4), staging);
            assertThat(set).containsExactly(true);
        }
    }

    @Test
    @Tag("MAP-13")
    void pagesBeyondTwoGibibytes() throws Exception {
        Path path = folder.resolve("f");
        Path ram = folder.resolve("ram");
        long length = (5L << 30) + PAGE;
        try (RandomAccessFile sparse = new RandomAccessFile(ram.toFile(), "rw")) {
            sparse.setLength(length);
        }
        try (Arena arena = Arena.ofShared();
                TestMain out = new TestMain(path, 0);
                FileChannel channel =
                        FileChannel.open(ram, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            RamBlock block =
                    RamBlock.of(
                            "big",
                            channel.map(FileChannel.MapMode.READ_WRITE, 0, length, arena),
                            PAGE);
            long last = block.pages() - 1;
            Rams.fill(block, last, 7);
            Rams.fill(block, last / 2, 8);
            MiniEngine.save(
                    out,
                    MiniEngine.session(true),
                    List.of(block),
                    saver -> {
                        try (Staging staging = new Staging()) {
                            MiniEngine.move(saver, new Run(block, last - 10, 11), staging);
                            MiniEngine.move(saver, new Run(block, last / 2, 1), staging);
                        }
                    });
            PlainFile.Block found = PlainFile.read(path, 0).getFirst();
            assertThat(found.present(last)).isTrue();
            assertThat(found.present(last / 2)).isTrue();
            assertThat(found.present(last - 1)).isFalse();
            try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
                file.seek(found.pagesAt + last * PAGE);
                assertThat(file.read()).isEqualTo(7);
                file.seek(found.pagesAt + last / 2 * PAGE);
                assertThat(file.read()).isEqualTo(8);
            }

            try (Arena guest = Arena.ofShared()) {
                MappingTarget target = new MappingTarget(guest);
                out.seek(0);
                MiniEngine.load(out, MiniEngine.session(false), target);
                MemorySegment memory = target.memory.get("big");
                assertThat(memory.byteSize()).isEqualTo(length);
                assertThat(memory.get(java.lang.foreign.ValueLayout.JAVA_BYTE, last * PAGE))
                        .isEqualTo((byte) 7);
            }
        }
    }

    @Test
    @Tag("MAP-11")
    void noMarkWhereOldBytesMayLie() throws Exception {
        Path path = folder.resolve("f");
        byte[] old = new byte[4 << 20];
        new Random(1).nextBytes(old);
        Files.write(path, old);
        try (Arena arena = Arena.ofShared();
                TestMain out = new TestMain(path, 100)) {
            RamBlock block = Hosts.SEGMENT.block("b", 300, arena);
            Rams.fill(block, 3, 9);
            List<RamBlock> blocks = List.of(block);
            MiniEngine.save(out, MiniEngine.session(false), blocks, MiniEngine.everything(blocks));
            // A valid file all the same, as far as the bitmap says.
            PlainFile.Block found = PlainFile.read(path, 100).getFirst();
            assertThat(PlainFile.content(path, found)).isEqualTo(Rams.content(block));
            out.seek(100);
            try (Arena guest = Arena.ofShared()) {
                MappingTarget target = new MappingTarget(guest);
                MiniEngine.load(out, MiniEngine.session(false), target);
                assertThat(target.content("b")).isEqualTo(Rams.content(block));
            }
        }
    }

    @Test
    @Tag("MAP-14")
    void pageSmallerThanTheAlignmentIsRefused() throws Exception {
        try (TestMain out = new TestMain(folder.resolve("f"), 0)) {
            RamBlock block = RamBlock.of("small", MemorySegment.ofArray(new byte[4096]), 512);
            assertThatThrownBy(
                            () ->
                                    MiniEngine.save(
                                            out, MiniEngine.session(true), List.of(block), p -> {}))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("direct-io")
                    .hasMessageContaining("4096")
                    .hasMessageContaining("512");
        }
    }
}
