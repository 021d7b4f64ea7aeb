package org.vmferry.engine.ram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Bytes;
import org.vmferry.engine.MemoryChannel;
import org.vmferry.engine.guard.Guard;
import org.vmferry.engine.migration.LifeCycle;
import org.vmferry.engine.migration.MigrationSession;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.engine.stream.StreamOut;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.ForwardingSession;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;

class InlineTest {
    private static final int PAGE = 4096;
    private static final Options ADDRESSES =
            Options.DEFAULTS.with(EngineOptions.X_IGNORE_SHARED, true);

    private final Arena arena = Arena.ofShared();
    private Options options = Options.DEFAULTS;
    private List<RamBlock> blocks =
            List.of(
                    RamBlock.of("a", arena.allocate(4 * PAGE, PAGE), PAGE),
                    RamBlock.of("b", MemorySegment.ofArray(new int[2 * PAGE / 4]), PAGE));

    @AfterEach
    void close() {
        arena.close();
    }

    private MigrationSession session() {
        return new MigrationSession(
                LifeCycle.Role.RECEIVES, "test", options, new UUID(0, 0), Optional.empty(), 0);
    }

    /** Reads a block list, and then sections; says where the stream stands. */
    private List<BlockHeader> read(Bytes bytes, int sections) throws IOException {
        try (StreamIn in = new StreamIn(new MemoryChannel(bytes.array(), 1000));
                RamIn ram = new InlineIn(in, session())) {
            List<BlockHeader> headers =
                    List.copyOf(
                            RamSection.readBlocks(
                                            in,
                                            PAGE,
                                            options,
                                            ram,
                                            RamTarget.of(blocks),
                                            new ArrivedPages())
                                    .keySet());
            for (int i = 0; i < sections; i++) ram.section(false);
            assertThat(in.position()).isEqualTo(bytes.size());
            return headers;
        }
    }

    private void refused(Bytes bytes, String... parts) {
        assertThatThrownBy(() -> read(bytes, 9))
                .isInstanceOfSatisfying(
                        MigrationException.class, e -> assertThat(e.blame()).isEqualTo(Blame.PEER))
                .hasMessageContainingAll(parts);
    }

    /** The list of blocks a and b: 28 bytes, and the end mark. */
    private static Bytes list() {
        return new Bytes()
                .u64(6 * PAGE | 4)
                .str8("a")
                .u64(4 * PAGE)
                .str8("b")
                .u64(2 * PAGE)
                .u64(0x10);
    }

    private static byte[] page(int value) {
        return new Bytes().raw(PAGE, value).array();
    }

    private int at(int block, long page) {
        byte[] copy = new byte[PAGE];
        blocks.get(block).read(page * PAGE, MemorySegment.ofArray(copy));
        for (byte b : copy) assertThat(b).isEqualTo(copy[0]);
        return copy[0];
    }

    @Test
    @Tag("RAM-3")
    @Tag("RAM-4")
    @Tag("RAM-5")
    @Tag("RAM-6")
    @Tag("RAM-8")
    @Tag("RAM-9")
    void readsRecords() throws IOException {
        Bytes stream = list().u64(0x200).u64(8).str8("a").raw(page(1));
        stream.u64(PAGE | 0x28).raw(page(2)).u64(0x10); // the same block
        stream.u64(2 * PAGE | 0x28).raw(page(3)).u64(8).str8("b").raw(page(4)); // across sections
        stream.u64(PAGE | 0x28).raw(page(5)).u64(0x10);
        stream.u64(0x22).u8(0).u64(2).str8("a").u8(0).u64(PAGE | 8).str8("a").raw(page(6)).u64(16);
        read(stream, 4);
        assertThat(List.of(at(0, 0), at(0, 1), at(0, 2), at(0, 3))).containsExactly(0, 6, 3, 0);
        assertThat(List.of(at(1, 0), at(1, 1))).containsExactly(0, 5);
    }

    @Test
    @Tag("RAM-1")
    @Tag("RAM-2")
    void readsTheBlockList() throws IOException {
        assertThat(read(list(), 1))
                .containsExactly(
                        new BlockHeader("a", 4 * PAGE, PAGE, OptionalLong.empty()),
                        new BlockHeader("b", 2 * PAGE, PAGE, OptionalLong.empty()));
        options = ADDRESSES;
        Bytes stream = new Bytes().u64(4 * PAGE | 4).str8("a").u64(4 * PAGE).u64(77).u64(0x10);
        assertThat(read(stream, 1).getFirst().guestAddress()).hasValue(77);
    }

    @Test
    @Tag("RAM-1")
    @Tag("RAM-2")
    void checksTheBlockList() {
        for (long word : new long[] {0, 4, PAGE, PAGE | 6, PAGE | 0x104, Long.MIN_VALUE | 4}) {
            refused(new Bytes().u64(word), "RAM size 0x" + Long.toHexString(word) + " at 0");
        }
        for (long length : new long[] {0, -1, 1, PAGE - 1, 7 * PAGE, Long.MIN_VALUE, -PAGE}) {
            refused(
                    new Bytes().u64(6 * PAGE | 4).str8("a").u64(length),
                    "block 'a' at 8",
                    "0x" + Long.toHexString(length),
                    "up to 0x6000");
        }
        refused(new Bytes().u64(PAGE | 4).str8(""), "without a name at 8");
        Bytes twice = new Bytes().u64(6 * PAGE | 4).str8("a").u64(PAGE).str8("a").u64(PAGE);
        refused(twice, "'a' is announced twice");
        Bytes many = new Bytes().u64(Long.MAX_VALUE & -PAGE | 4);
        for (int i = 0; i <= 4096; i++) many.str8("block" + i).u64(PAGE);
        refused(many, "over 4096 RAM blocks");
    }

    @Test
    @Tag("RAM-2")
    void whatTheHostDoesNotHaveIsItsFault() {
        Bytes other = new Bytes().u64(4 * PAGE | 4).str8("c").u64(4 * PAGE);
        assertThatThrownBy(() -> read(other, 0))
                .isInstanceOfSatisfying(
                        MigrationException.class, e -> assertThat(e.blame()).isEqualTo(Blame.HOST))
                .hasMessageContaining("no RAM block 'c'");
        RamTarget broken = Guard.host(RamTarget.class, header -> null, "the RAM target");
        try (StreamIn in = new StreamIn(new MemoryChannel(list().array(), 9));
                RamIn ram = new InlineIn(in, session())) {
            assertThatThrownBy(
                            () ->
                                    RamSection.readBlocks(
                                            in, PAGE, options, ram, broken, new ArrivedPages()))
                    .isInstanceOfSatisfying(
                            MigrationException.class,
                            e -> assertThat(e.blame()).isEqualTo(Blame.HOST))
                    .hasMessageContaining("'a'");
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {4, 0, 6, 12, 0x48, 0x80, 0x100, 0x108, 0x18, 0x210, 0x30, 0x220})
    @Tag("RAM-3")
    void refusesOtherFlags(long flags) {
        refused(list().u64(flags).str8("a"), "at 36");
    }

    @Test
    @Tag("RAM-11")
    void refusesOtherXbzrle() {
        Bytes record = list().u64(0x40).str8("a");
        refused(record.u8(2).u8(0).u8(1), "the XBZRLE page at 36 has encoding 2");
        refused(list().u64(0x40).str8("a").u8(1).u8(0x40).u8(0), "and 16384 bytes", "at 36");
        refused(list().u64(0x40).str8("c"), "unknown block 'c' at 36");
        refused(list().u64(4L * PAGE | 0x40).str8("a"), "page offset 0x4000 at 36");
    }

    @Test
    @Tag("RAM-8")
    @Tag("RAM-9")
    void marksHaveNoOffset() {
        refused(list().u64(PAGE | 0x10), "0x1010 at 36");
        refused(list().u64(PAGE | 0x200), "0x1200 at 36");
    }

    @Test
    @Tag("RAM-4")
    @Tag("RAM-7")
    void checksBlockAndOffset() {
        refused(list().u64(0x28), "at 36 continues no block");
        refused(list().u64(8).str8("c"), "unknown block 'c' at 36");
        for (long offset : new long[] {4L * PAGE, 1024, -PAGE, Long.MIN_VALUE, 1L << 62}) {
            refused(
                    list().u64(offset | 8).str8("a"),
                    "page offset 0x" + Long.toHexString(offset) + " at 36",
                    "'a' has 0x4000");
        }
        refused(list().u64(2 * PAGE | 2).str8("b"), "'b' has 0x2000");
        refused(list().u64(2).str8("b").u8(1), "filled with 0x01 at 36");
        refused(list().u64(8).str8("a").raw(100, 1), "ends at 146");
    }

    @Test
    @Tag("RAM-1")
    @Tag("RAM-4")
    @Tag("RAM-5")
    @Tag("RAM-6")
    @Tag("RAM-8")
    void writesWhatItReads() throws IOException {
        blocks.get(0).write(PAGE, MemorySegment.ofArray(page(1)));
        blocks.get(0).write(2 * PAGE, MemorySegment.ofArray(page(2)));
        blocks.get(1).write(PAGE, MemorySegment.ofArray(page(3)));
        MemoryChannel channel = new MemoryChannel(new byte[0], 5000);
        MigrationSession session = session();
        try (StreamOut out = new StreamOut(channel);
                RamOut ram = new InlineOut(out, session)) {
            RamSection.Writer writer = new RamSection.Writer(out, ram, options);
            writer.start(blocks);
            writer.part();
            ram.send(new Run(blocks.get(0), 0, 4));
            writer.close();
            writer.end();
            ram.send(new Run(blocks.get(0), 1, 1));
            ram.send(new Run(blocks.get(1), 0, 2));
            writer.closeEnd();
        }
        Bytes expected = new Bytes().ramStart(1).raw(list().array()).footer(1).u8(2).u32(1);
        expected.u64(2).str8("a").u8(0).u64(PAGE | 0x28).raw(page(1));
        expected.u64(2 * PAGE | 0x28).raw(page(2)).u64(3 * PAGE | 0x22).u8(0).u64(16).footer(1);
        expected.u8(3).u32(1).u64(PAGE | 0x28).raw(page(1)).u64(2).str8("b").u8(0);
        expected.u64(PAGE | 0x28).raw(page(3)).u64(16).footer(1);
        assertThat(channel.written()).isEqualTo(expected.array());
        assertThat(session.pagesNormal()).isEqualTo(4);
        assertThat(session.pagesZero()).isEqualTo(3);
    }

    /** A sender that leaves zero pages to the main stream, and says what it is told. */
    private static final class Leaves implements PageCarrier.Sender {
        final List<String> told = new ArrayList<>();

        @Override
        public boolean leavesZeroPages() {
            return true;
        }

        @Override
        public void connect() {
            told.add("connect");
        }

        @Override
        public void start(List<RamBlock> all) {
            told.add("start");
        }

        @Override
        public void send(Run run) {
            told.add("send " + run.firstPage() + "+" + run.pages());
        }

        @Override
        public boolean endRound() {
            told.add("endRound");
            return true;
        }

        @Override
        public void endSection() {
            told.add("endSection");
        }

        @Override
        public void finish() {
            told.add("finish");
        }

        @Override
        public void close() {
            told.add("close");
        }
    }

    /** Of a fresh block nobody looks at a page that did not come, and so it must be known. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("RAM-5")
    @Tag("RAM-11")
    void aPageThatCameAndIsZeroNowIsCleared(boolean changes) throws IOException {
        byte[] bytes = new byte[4 * PAGE];
        MemorySegment memory = MemorySegment.ofArray(bytes);
        ArrivedPages arrived = new ArrivedPages();
        Session session =
                new ForwardingSession(session()) {
                    @Override
                    public void arrives(Run run) {
                        arrived.arrives(run);
                    }
                };
        Bytes stream = new Bytes().u64(4 * PAGE | 4).str8("a").u64(4 * PAGE);
        if (changes) stream.u64(PAGE | 0x40).str8("a").u8(1).u8(0).u8(3).u8(0).u8(1).u8(7);
        else stream.u64(PAGE | 8).str8("a").raw(page(1));
        stream.u64(PAGE | 0x22).u8(0).u64(16);
        try (StreamIn in = new StreamIn(new MemoryChannel(stream.array(), 1000));
                RamIn ram = new InlineIn(in, session)) {
            RamTarget fresh = RamTarget.of(List.of(RamBlock.fresh("a", memory, PAGE)));
            RamSection.readBlocks(in, PAGE, options, ram, fresh, arrived);
            ram.section(false);
        }
        assertThat(bytes).containsOnly(0);
    }

    @Test
    @Tag("RAM-9")
    @Tag("MFD-14")
    void whatACarrierLeavesIsInTheStream() throws IOException {
        blocks.get(0).write(PAGE, MemorySegment.ofArray(page(1)));
        MemoryChannel channel = new MemoryChannel(new byte[0], 5000);
        Leaves sender = new Leaves();
        try (StreamOut out = new StreamOut(channel);
                RamOut ram = new CarrierOut(out, session(), sender)) {
            ram.connect();
            RamSection.Writer writer = new RamSection.Writer(out, ram, options);
            writer.start(blocks);
            writer.end();
            ram.send(new Run(blocks.get(0), 0, 4));
            writer.closeEnd();
            ram.finish();
        }
        Bytes start = new Bytes().raw(Arrays.copyOf(list().array(), 28));
        Bytes expected = new Bytes().ramStart(1).raw(start.array()).u64(0x200).u64(16).footer(1);
        expected.u8(3).u32(1).u64(2).str8("a").u8(0).u64(2 * PAGE | 0x22).u8(0);
        expected.u64(3 * PAGE | 0x22).u8(0).u64(0x200).u64(16).footer(1);
        assertThat(channel.written()).isEqualTo(expected.array());
        assertThat(sender.told)
                .containsExactly(
                        "connect",
                        "start",
                        "endRound",
                        "endSection",
                        "send 1+1",
                        "endRound",
                        "endSection",
                        "finish",
                        "close");
    }

    @Test
    @Tag("RAM-2")
    void checksWhatAHostSends() throws MigrationException {
        assertThat(RamSection.check(blocks)).isEqualTo(6 * PAGE);
        MemorySegment memory = arena.allocate(1 << 18);
        for (List<RamBlock> bad :
                List.of(
                        List.<RamBlock>of(),
                        List.of(blocks.get(0), blocks.get(0)),
                        List.of(RamBlock.of("x".repeat(256), memory, PAGE)),
                        List.of(RamBlock.of("x", memory, 128)),
                        List.of(RamBlock.of("x", memory, 1 << 17)),
                        List.of(blocks.get(0), RamBlock.of("x", memory, 8192)))) {
            assertThatThrownBy(() -> RamSection.check(bad))
                    .isInstanceOfSatisfying(
                            MigrationException.class,
                            e -> assertThat(e.blame()).isEqualTo(Blame.HOST));
        }
    }
}
