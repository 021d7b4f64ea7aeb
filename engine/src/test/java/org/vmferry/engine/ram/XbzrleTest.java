package org.vmferry.engine.ram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.spi.MigrationException;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;

@Tag("RAM-11")
class XbzrleTest {
    private static final HexFormat HEX = HexFormat.of();

    private static byte[] page(int size, int at, String hex) {
        byte[] page = new byte[size];
        byte[] bytes = HEX.parseHex(hex.replace(" ", ""));
        System.arraycopy(bytes, 0, page, at, bytes.length);
        return page;
    }

    private static byte[] applied(byte[] page, String delta) throws MigrationException {
        byte[] copy = page.clone();
        Xbzrle.apply(HEX.parseHex(delta.replace(" ", "")), MemorySegment.ofArray(copy), 77);
        return copy;
    }

    /** The worked example of QEMU's documentation. */
    @Test
    void aChangedPage() throws MigrationException {
        byte[] before =
                page(4096, 1001, "05060708090a0b0c0d0e0f1011121368 0000 6b 00 6d".replace(" ", ""));
        byte[] after =
                page(4096, 1001, "0102030405060708090a0b0c0d0e0f68 0000 67 00 69".replace(" ", ""));
        assertThat(applied(before, "e9070f0102030405060708090a0b0c0d0e0f0301 67 01 01 69"))
                .isEqualTo(after);
    }

    @Test
    void fromTheFirstByteToTheLast() throws MigrationException {
        byte[] before = page(1024, 0, "01");
        assertThat(applied(before, "")).isEqualTo(before);
        assertThat(applied(before, "0002ef59")).isEqualTo(page(1024, 0, "ef59"));
        byte[] last = page(1024, 1023, "07");
        last[0] = 1;
        assertThat(applied(before, "ff070107")).isEqualTo(last);
        assertThat(applied(before, "fe0701000001" + "07")).isEqualTo(last);
    }

    @ParameterizedTest
    @CsvSource({
        "8108, bytes that stay beyond the page's end",
        "ff070207, new bytes beyond the page's end",
        "ffffffffff7f, bytes that stay beyond the page's end",
        "80808080808001, bytes that stay beyond the page's end",
        "80, an end within a length",
        "05, an end within a length",
        "0500, no new bytes",
        "000201, fewer new bytes than it says",
    })
    void whatMakesNoSenseIsRefused(String delta, String message) {
        assertThatThrownBy(() -> applied(new byte[1024], delta))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("the XBZRLE page at 77 has " + message);
    }

    @Test
    void anyBytesStayWithinThePage() {
        Random random = new Random(3);
        byte[] around = new byte[3072];
        for (int i = 0; i < 50_000; i++) {
            byte[] delta = new byte[random.nextInt(40)];
            random.nextBytes(delta);
            if (random.nextBoolean()) for (int k = 0; k < delta.length; k++) delta[k] &= 0x0f;
            try {
                Xbzrle.apply(delta, MemorySegment.ofArray(around).asSlice(1024, 1024), 0);
            } catch (MigrationException e) {
                assertThat(e).hasMessageContaining("XBZRLE");
            }
        }
        assertThat(Arrays.copyOf(around, 1024)).containsOnly(0);
        assertThat(Arrays.copyOfRange(around, 2048, 3072)).containsOnly(0);
    }
}
