package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.ram.PageBitmap;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

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

    private static Inspection.Block block(long pages, Inspection.Content content, long... present) {
        PageBitmap bits = new PageBitmap(pages);
        for (long page : present) bits.set(page);
        return new Inspection.Block(
                "block",
                pages * 4096,
                bits,
                content,
                OptionalLong.empty(),
                OptionalLong.empty(),
                List.of());
    }

    @Test
    void allBlocksAreOnePictureOfTheTerminalsWidth() {
        var small = block(4, Inspection.Content.WHOLE, 1, 2);
        var missing = block(2, Inspection.Content.LEFT_OUT);
        var last = block(3, Inspection.Content.WHOLE, 0);
        Terminal plain = new Terminal(true, true, 10, true, false);
        assertThat(picture.of(List.of(small, missing, last), plain))
                .containsExactly(".##.?", "?#..");
        Terminal coloured = new Terminal(true, true, 10, true, true);
        assertThat(picture.of(List.of(small, missing, last), coloured))
                .containsExactly(
                        "\u001b[36m.##.\u001b[0m\u001b[33m?\u001b[0m",
                        "\u001b[33m?\u001b[0m\u001b[36m#..\u001b[0m");
        assertThat(picture.of(List.of(), plain)).isEmpty();
    }

    /** What is a page among GiBs shows in the cell that it is in. */
    @Test
    void aCellTellsOfAllBlocksThatItTouches() {
        var huge = new PageBitmap(1L << 24);
        huge.fill(0, 1L << 24, true);
        var first =
                new Inspection.Block(
                        "pc.ram",
                        1L << 36,
                        huge,
                        Inspection.Content.WHOLE,
                        OptionalLong.empty(),
                        OptionalLong.empty(),
                        List.of());
        var second = block(64, Inspection.Content.WHOLE, 5);
        Terminal plain = new Terminal(true, true, 25, true, false);
        List<String> rows = picture.of(List.of(first, second), plain);
        assertThat(rows).hasSize(8).allMatch(row -> row.length() == 20);
        assertThat(String.join("", rows)).isEqualTo("#".repeat(159) + "+");
    }

    /** Several of them in one cell: the next one has the colour of the block that it begins in. */
    @Test
    void blocksThatAreLessThanACellKeepNobodysColour() {
        List<Inspection.Block> blocks = new ArrayList<>();
        blocks.add(block(955, Inspection.Content.WHOLE));
        for (int i = 0; i < 5; i++) blocks.add(block(1, Inspection.Content.WHOLE, 0));
        blocks.add(block(960, Inspection.Content.WHOLE));
        Terminal coloured = new Terminal(true, true, 25, true, true);
        assertThat(String.join("", picture.of(blocks, coloured)))
                .contains("+", "\u001b[36m")
                .doesNotContain("\u001b[33m");
    }
}
