package org.vmferry.engine.ram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmferry.engine.stream.Wire.*;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Bytes;
import org.vmferry.engine.MemoryChannel;
import org.vmferry.engine.stream.StreamIn;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/** What RAM's records say of the page size, whatever they are. */
@Tag("STR-16")
@Timeout(60)
class RecordWalkTest {
    private static final int ID = 3;
    private static final int LENGTH = 1 << 20;
    private static final int SILENCE = 3000;

    /** A block list, and the START's end. */
    private static Bytes start() {
        return start(LENGTH).str8("ram").u64(LENGTH).u64(EOS).footer(ID);
    }

    private static Bytes start(long total) {
        return new Bytes().u64(total | MEM_SIZE);
    }

    private static Bytes part(Bytes to) {
        return to.u8(PART).u32(ID);
    }

    private static Bytes page(Bytes to, long offset, byte... data) {
        return to.u64(offset | PAGE).str8("ram").raw(data);
    }

    /** RAM's end, and a device's section. */
    private static Bytes end(Bytes to) {
        return to.u64(EOS).footer(ID).u8(FULL).u32(4);
    }

    private static byte[] data(int size) {
        byte[] data = new byte[size];
        new Random(size).nextBytes(data);
        return data;
    }

    /** The size, 0 for none, -1 for several. */
    private static int told(byte[] bytes, int most) throws IOException {
        try (StreamIn in = new StreamIn(new MemoryChannel(bytes, most))) {
            int told = new RecordWalk(in, false, SILENCE).only().orElse(-1);
            assertThat(in.position()).as("nothing was read").isZero();
            byte[] still = new byte[Math.min(bytes.length, 1000)];
            in.bytes(MemorySegment.ofArray(still));
            assertThat(still).isEqualTo(Arrays.copyOf(bytes, still.length));
            return told;
        }
    }

    private static int told(Bytes bytes) throws IOException {
        return told(bytes.array(), 1000);
    }

    @ParameterizedTest
    @ValueSource(ints = {256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536})
    void eachSizeIsToldByAPageAndWhatFollowsIt(int size) throws IOException {
        Bytes bytes = part(start());
        for (int i = 0; i < 4; i++) bytes.u64((long) i * size | ZERO).str8("ram").u8(0);
        page(bytes, 4L * size, data(size)).u64(5L * size | PAGE | CONTINUE).raw(data(size));
        bytes.u64(EOS).footer(ID).u8(END).u32(ID).u64(EOS).footer(ID).u8(FULL);
        assertThat(told(bytes)).isEqualTo(size);
    }

    /** Zeros say how large a page is at most; what divides no block is no page. */
    @Test
    void whereSeveralFitNoneIsTold() throws IOException {
        Bytes zeros = part(start());
        for (int i = 0; i < 8; i++) zeros.u64(i * 4096L | ZERO).str8("ram").u8(0);
        zeros.u64(EOS).footer(ID).u8(FULL).u32(4);
        assertThat(told(zeros)).isEqualTo(-1);

        Bytes odd = start(256 * 5).str8("ram").u64(256 * 5).u64(EOS).footer(ID).u8(FULL);
        assertThat(told(odd)).isEqualTo(256);
    }

    /** A guest that writes records into its pages can have the size asked for, and no wrong one. */
    @Test
    void aPageThatHoldsRecordsOfSmallerPagesIsNotTakenForThese() throws IOException {
        ByteBuffer page = ByteBuffer.allocate(4096);
        page.position(1024);
        while (page.remaining() >= 8 + 1024) {
            page.putLong(page.position() / 1024 * 1024 | PAGE | CONTINUE);
            page.position(page.position() + 1024);
        }
        page.putLong(4096 | ZERO | CONTINUE).put((byte) 0);
        int left = page.remaining();
        page.putLong(8192 | PAGE | CONTINUE); // whose data the next pages are
        assertThat(left).isLessThan(1024);
        Bytes bytes = part(start());
        for (int i = 0; i < 200; i++) {
            bytes.u64(i * 4096L | PAGE | (i == 0 ? 0 : CONTINUE));
            if (i == 0) bytes.str8("ram");
            bytes.raw(page.array());
        }
        bytes.u64(EOS).footer(ID).u8(FULL).u32(4);
        assertThat(told(bytes)).isIn(4096, -1);
    }

    /** The guest imitates RAM's end in 1024 bytes' distance: both readings go on to the end. */
    @Test
    void aPageThatImitatesTheEndLeavesTwo() throws IOException {
        ByteBuffer page = ByteBuffer.allocate(4096).position(1024);
        page.putLong(EOS).put((byte) FOOTER).putInt(ID).put((byte) FULL);
        Bytes bytes = page(part(start()), 0, page.array());
        bytes.u64(EOS).footer(ID).u8(FULL).u32(4);
        assertThat(told(bytes)).isEqualTo(-1);
    }

    /** Rules RAM-10 and RAM-11: records without data of a page. */
    @Test
    void flushesAndChangesArePassed() throws IOException {
        Bytes bytes = part(start()).u64(MULTIFD_FLUSH);
        page(bytes, 0, data(4096));
        bytes.u64(XBZRLE | CONTINUE).u8(1).u16(3).u8(1, 1, 7);
        page(bytes, 4096, data(4096));
        bytes.u64(EOS).footer(ID).u8(FULL).u32(4);
        assertThat(told(bytes)).isEqualTo(4096);
    }

    @Test
    void changesHaveTheirOwnLengthAlsoBeforeAnyData() throws IOException {
        Bytes bytes = part(start()).u64(XBZRLE).str8("ram").u8(1).u16(3).u8(1, 1, 7);
        page(bytes, 4096, data(4096)).u64(EOS).footer(ID).u8(FULL).u32(4);
        assertThat(told(bytes)).isEqualTo(4096);
    }

    @Test
    void nonsenseHasNoSize() throws IOException {
        Bytes behind = part(start()).u64(LENGTH | ZERO).str8("ram").u8(0);
        assertThat(told(end(behind))).as("behind the block's end").isZero();
        Bytes seven = part(start()).u64(ZERO).str8("ram").u8(7);
        assertThat(told(end(seven))).as("a zero page of sevens").isZero();
        Bytes between = page(part(start()), 1024, data(2048));
        assertThat(told(end(between))).as("between two pages").isZero();
    }

    @Test
    void whatIsInAnotherSectionTellsNothing() throws IOException {
        Bytes bytes = part(start()).u64(ZERO).str8("ram").u8(0).u64(EOS).footer(ID);
        assertThat(told(bytes.u8(PART).u32(ID + 1).raw(data(3000)))).isEqualTo(-1);
    }

    /** A source that waits for somebody has sent all that one reading needs, and says no more. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whereOneReadingGoesOnTheOthersAreNotWaitedForWithoutEnd(boolean ended) throws IOException {
        Bytes bytes = page(part(start()), 0, data(1024));
        if (ended) end(bytes);
        else bytes.u64(1024 | ZERO | CONTINUE).u8(0);
        CountDownLatch closed = new CountDownLatch(1);
        MemoryChannel silent =
                new MemoryChannel(bytes.array(), 1000) {
                    @Override
                    public int read(ByteBuffer target) throws IOException {
                        int count = super.read(target);
                        if (count >= 0) return count;
                        try {
                            closed.await();
                        } catch (InterruptedException e) {
                            throw new IOException(e);
                        }
                        return -1;
                    }

                    @Override
                    public void close() {
                        closed.countDown();
                        super.close();
                    }
                };
        try (StreamIn in = new StreamIn(silent)) {
            assertThat(new RecordWalk(in, false, 50).only()).hasValue(1024);
            assertThat(in.u64()).isEqualTo(LENGTH | MEM_SIZE);
            silent.close();
        }
    }

    @Test
    void truncatedAnywhereItEndsAndTellsNoOtherSize() throws IOException {
        Bytes bytes = part(start());
        page(bytes, 4096, data(4096)).u64(8192 | PAGE | CONTINUE).raw(data(4096));
        byte[] all = bytes.u64(EOS).footer(ID).u8(FULL).u32(4).array();
        assertThat(told(all, 100)).isEqualTo(4096);
        for (int length = 0; length < all.length; length += length < 80 ? 1 : 61) {
            assertThat(told(Arrays.copyOf(all, length), 100)).isIn(4096, 0, -1);
        }
    }

    @Test
    void randomBytesEndSoonInSomeAnswer() throws IOException {
        Random random = new Random(13);
        Bytes head = part(start());
        for (int round = 0; round < 3000; round++) {
            byte[] bytes = new byte[random.nextInt(3000)];
            random.nextBytes(bytes);
            byte[] from = head.array();
            if (round % 3 != 0)
                System.arraycopy(from, 0, bytes, 0, Math.min(from.length, bytes.length));
            // Bits of records, so that some are well-formed.
            for (int i = from.length; round % 3 == 2 && i + 9 < bytes.length; i += 9) {
                ByteBuffer.wrap(bytes)
                        .putLong(i, random.nextInt(1 << 12) * 256L | random.nextInt(1 << 6))
                        .put(i + 8, (byte) 0);
            }
            told(bytes, 1 + random.nextInt(4000));
        }
    }

    @Test
    void tooManyBlocksMakeNoSense() throws IOException {
        int most = RamSection.MOST_BLOCKS;
        for (int count : new int[] {most, most + 1}) {
            Bytes bytes = start(count * 4096L);
            for (int i = 0; i < count; i++) bytes.str8("b" + i).u64(4096);
            bytes.u64(EOS).footer(ID).u8(FULL).u32(4);
            assertThat(told(bytes.array(), 1 << 16)).isEqualTo(count == most ? -1 : 0);
        }
        assertThat(told(start(8192).str8("ram").u64(4096).str8("ram").u64(4096).u64(EOS))).isZero();
        assertThat(told(start(8192).str8("ram").u64(16384).u64(EOS))).isZero();
        assertThat(told(start(8192).str8("ram").u64(-4096).u64(EOS))).isZero();
    }

    /** A source that sends zero pages without end is asked for so many, and not for more. */
    @Test
    void noMoreThanSomeIsLookedAt() throws IOException {
        AtomicLong given = new AtomicLong();
        byte[] head = part(start()).u64(ZERO).str8("ram").u8(0).array();
        byte[] record = new Bytes().u64(4096 | ZERO | CONTINUE).u8(0).array();
        MemoryChannel endless =
                new MemoryChannel(new byte[0], 1) {
                    @Override
                    public int read(ByteBuffer target) {
                        int count = Math.min(target.remaining(), 1 << 16);
                        for (int i = 0; i < count; i++) {
                            long at = given.getAndIncrement();
                            target.put(
                                    at < head.length
                                            ? head[(int) at]
                                            : record[(int) ((at - head.length) % record.length)]);
                        }
                        return count;
                    }
                };
        try (StreamIn in = new StreamIn(endless)) {
            assertThat(new RecordWalk(in, false, SILENCE).only()).isEmpty();
        }
        assertThat(given.get()).isBetween((long) RecordWalk.MOST, RecordWalk.MOST + (1L << 17));
    }
}
