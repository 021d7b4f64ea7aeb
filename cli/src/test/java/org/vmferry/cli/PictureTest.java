package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmferry.spi.ram.PageBitmap;

import java.nio.charset.StandardCharsets;

class PictureTest {
    private final Picture picture = new Picture(StandardCharsets.US_ASCII);

    @Test
    void eachCellTellsAllSomeOrNone() {
        var present = new PageBitmap(600);
        present.fill(0, 200, true);
        present.set(205);
        present.set(599);
        assertThat(picture.of(present)).isEqualTo("#".repeat(20) + "+" + ".".repeat(38) + "+");
    }

    @Test
    void aSmallBlockHasACellAPage() {
        var present = new PageBitmap(3);
        present.set(1);
        assertThat(picture.of(present)).isEqualTo(".#.");
    }

    @Test
    void aHugeBlockIsDrawnToo() {
        var present = new PageBitmap(1L << 27);
        present.fill(1L << 26, 1L << 26, true);
        assertThat(picture.of(present)).isEqualTo(".".repeat(30) + "#".repeat(30));
    }

    @Test
    void shadesAreUsedWhereTheOutputHasThem() {
        var present = new PageBitmap(1);
        assertThat(new Picture(StandardCharsets.UTF_8).of(present)).isEqualTo("·");
    }
}
