package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Bytes;
import org.vmferry.engine.MemoryChannel;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/** Payloads that tell their own end, whatever a guest has written into them. */
@Timeout(60)
class GrammarTest {
    /** What a guest would write: a footer, marks, an end with its description. */
    private static final byte[] IMITATION =
            new Bytes()
                    .footer(6)
                    .u8(3)
                    .u32(6)
                    .u64(1)
                    .footer(6)
                    .u8(2)
                    .u32(1)
                    .u64(16)
                    .footer(1)
                    .description("{\"page_size\":4096,\"devices\":[]}")
                    .array();

    /** Reads one payload; how many bytes it has. */
    private static long read(String name, int mark, byte[] payload) throws IOException {
        Tape tape = new Tape(Path.of("unused"));
        byte[] all = new Bytes().raw(payload).footer(6).raw(40, 7).array();
        try (StreamIn in = new StreamIn(new MemoryChannel(all, 7))) {
            Grammar.of(name).orElseThrow().read(new Payload(in, tape, name), mark);
            assertThat(in.position()).isEqualTo(tape.length());
        }
        assertThat(tape.copy(0, tape.length())).isEqualTo(Arrays.copyOf(all, (int) tape.length()));
        return tape.length();
    }

    private static void whole(String name, int mark, Bytes payload) throws IOException {
        assertThat(read(name, mark, payload.array())).isEqualTo(payload.size());
    }

    private static Bytes padded(int unit) {
        Bytes bytes = new Bytes().raw(IMITATION);
        return bytes.raw((unit - bytes.size() % unit) % unit, 0x7e);
    }

    @Test
    @Tag("STR-20")
    void aHashTableEndsWithItsEmptyChunk() throws IOException {
        whole(HashTable.NAME, Wire.START, new Bytes().u32(21));
        whole(HashTable.NAME, Wire.PART, new Bytes().u32(-1));
        whole(HashTable.NAME, Wire.PART, new Bytes().u32(0).raw(8, 0));
        Bytes filled = padded(16);
        Bytes chunk = new Bytes().u32(0).u32(8).u16(filled.size() / 16).u16(5).raw(filled.array());
        whole(HashTable.NAME, Wire.END, chunk.u32(99).u16(0).u16(3).raw(8, 0));
        Bytes nearlyEmpty = new Bytes().u32(0).u32(0).u16(0).u16(3).u32(3).u16(0).u16(0);
        whole(HashTable.NAME, Wire.PART, nearlyEmpty.raw(8, 0));
        assertThatThrownBy(() -> read(HashTable.NAME, Wire.PART, new Bytes().u32(7).array()))
                .isInstanceOf(MigrationException.class)
                .hasMessageContainingAll("spapr/htab", "is 7, must be 0 or 4294967295");
    }

    @Test
    @Tag("STR-20")
    void storageAttributesEndWithTheirMarkOrTheFooter() throws IOException {
        whole(StorageAttributes.NAME, Wire.START, new Bytes().u64(1));
        whole(StorageAttributes.NAME, Wire.END, new Bytes().u64(8).u64(1));
        whole(StorageAttributes.NAME, Wire.END, new Bytes().u64(8));
        Bytes more = new Bytes().u64(0x7e000002L).u64(IMITATION.length).raw(IMITATION);
        whole(StorageAttributes.NAME, Wire.PART, more.u64(0x5000002).u64(0).u64(1));
        assertThatThrownBy(() -> read(StorageAttributes.NAME, 2, new Bytes().u64(4).array()))
                .isInstanceOf(MigrationException.class)
                .hasMessageContainingAll("s390-storage_attributes", "is 4, must be 1, 2 or 8");
        assertThatThrownBy(
                        () ->
                                read(
                                        StorageAttributes.NAME,
                                        Wire.PART,
                                        new Bytes().u64(2).u64(-1).array()))
                .hasMessageContainingAll(
                        "length", "18446744073709551615", "all sections that are kept");
    }

    @Test
    @Tag("STR-20")
    void dirtyBitmapsEndWithTheEndFlag() throws IOException {
        Bytes start = new Bytes().u8(0x1c).str8("d0").str8("bm1").u32(1 << 16).u8(1);
        whole(DirtyBitmap.NAME, Wire.START, start.u8(0x14).str8("~").u32(1).u8(0).u8(1));
        Bytes bits = new Bytes().u8(0x44).str8("bm1").u64(0).u32(9);
        bits.u64(IMITATION.length).raw(IMITATION).u8(0x42).u64(5).u32(6);
        whole(DirtyBitmap.NAME, Wire.END, bits.u8(0x24).str8("bm1").u8(1));
        assertThatThrownBy(() -> read(DirtyBitmap.NAME, 2, new Bytes().u8(0x81).array()))
                .hasMessageContainingAll("dirty-bitmap", "129");
        assertThatThrownBy(() -> read(DirtyBitmap.NAME, 2, new Bytes().u8(0).array()))
                .hasMessageContainingAll("dirty-bitmap", "is 0");
    }

    @ParameterizedTest
    @ValueSource(strings = {HashTable.NAME, StorageAttributes.NAME, DirtyBitmap.NAME})
    @Tag("STR-20")
    void whateverComesIsReadOrRefused(String name) {
        Random random = new Random(name.hashCode());
        for (int round = 0; round < 3000; round++) {
            byte[] bytes = new byte[random.nextInt(60)];
            random.nextBytes(bytes);
            // Flags and small lengths come up more often than they would.
            for (int i = 0; i < bytes.length; i++) if (random.nextBoolean()) bytes[i] &= 3;
            Throwable thrown = catchThrowable(() -> read(name, 1 + random.nextInt(3), bytes));
            if (thrown != null) assertThat(thrown).isInstanceOf(MigrationException.class);
        }
    }
}
