package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TextTest {
    @Test
    void bytesAreReadByPeople() {
        assertThat(Text.bytes(512)).isEqualTo("512 B");
        assertThat(Text.bytes(4096)).isEqualTo("4 KiB");
        assertThat(Text.bytes(5L << 30)).isEqualTo("5 GiB");
        assertThat(Text.bytes(1536 << 10)).isEqualTo("1.5 MiB");
    }

    @Test
    void timesAreReadByPeople() {
        assertThat(Text.seconds(12)).isEqualTo("12 s");
        assertThat(Text.seconds(185)).isEqualTo("3:05 min");
        assertThat(Text.seconds(3750)).isEqualTo("1:02:30 h");
    }

    @Test
    void sentencesGoOnInTheNextRow() {
        assertThat(Text.rows("  - wait and see", 40, "    ")).containsExactly("  - wait and see");
        assertThat(Text.rows("  - wait and see", 16, "    ")).containsExactly("  - wait and see");
        assertThat(Text.rows("  - wait and see", 15, "    "))
                .containsExactly("  - wait and", "    see");
        assertThat(Text.rows("  - wait and see", 9, "    "))
                .containsExactly("  - wait", "    and", "    see");
        assertThat(Text.rows("  - a-word-that-is-long is", 8, "    "))
                .as("a word stays whole")
                .containsExactly("  -", "    a-word-that-is-long", "    is");
    }

    @Test
    void amountsTakeQemusSuffixes() {
        assertThat(Text.parseBytes("12345")).isEqualTo(12345);
        assertThat(Text.parseBytes("4k")).isEqualTo(4096);
        assertThat(Text.parseBytes("2G")).isEqualTo(2L << 30);
        for (String wrong : new String[] {"", "k", "-1", "1x", "99999999999G"})
            assertThatThrownBy(() -> Text.parseBytes(wrong))
                    .as(wrong)
                    .isInstanceOf(NumberFormatException.class);
    }
}
