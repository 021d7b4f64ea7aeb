package org.vmferry.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmferry.engine.json.Json;

import java.util.List;

class ResultsTest {
    private final Results results = Results.besideQemu();

    private void round(String work, String unit, double qemu, double vmferry) {
        results.add(true, work, unit, qemu);
        results.add(false, work, unit, vmferry);
    }

    @Test
    void tellsMediansAndSpread() {
        round("save", Results.MS, 300, 100);
        round("save", Results.MS, 100, 200);
        round("save", Results.MS, 250, 50.5);
        round("save", Results.MS, 260, 65);
        results.add(false, "map", Results.MS, 7);
        assertThat(String.join("\n", results.table("snapshot")))
                .isEqualTo(
                        """
                        | snapshot | unit | QEMU             | vmferry            | ratio               |
                        |----------|------|------------------|--------------------|---------------------|
                        | save     | ms   | 255 (100 to 300) | 82.5 (50.5 to 200) | 3.50 (0.50 to 4.95) |
                        | map      | ms   | -                | 7                  | -                   |\
                        """);
    }

    @Test
    void theMedianIsInTheMiddle() {
        assertThat(new Results.Figures(List.of(5.0, 1.0, 2.0)).median()).isEqualTo(2);
        assertThat(new Results.Figures(List.of(5.0, 1.0, 2.0, 4.0)).median()).isEqualTo(3);
        assertThat(new Results.Figures(List.of()).median()).isNull();
    }

    /** More bytes a second are better, and less of anything else. */
    @Test
    void aRatioAboveOneIsBetter() {
        round("none", Results.RATE, 1, 2);
        round("none", Results.CPU, 6, 2);
        assertThat(results.rows())
                .extracting(row -> row.ratio().median())
                .containsExactly(2.0, 3.0);
    }

    /** Hundredths of a second may be none. */
    @Test
    void whatWasTooShortHasNoRatio() {
        round("none", Results.CPU, 0.01, 0);
        round("none", Results.CPU, 0.02, 0.01);
        assertThat(results.rows().getFirst().ratio().values()).containsExactly(2.0);
        round("zstd", Results.CPU, 0, 0);
        assertThat(results.rows().getLast().ratio().median()).isNull();
        assertThat(Json.write(results.tree())).contains("\"ratio\":null");
    }

    @Test
    void aSideThatDidNothingHasNoColumn() {
        results.add(false, "rounds", Results.COUNT, 3);
        assertThat(results.table("downtime"))
                .isEqualTo(
                        List.of(
                                "| downtime | unit | vmferry |",
                                "|----------|------|---------|",
                                "| rounds   |      | 3       |"));
    }

    @Test
    void numbersHaveThreeDigitsOrMore() {
        assertThat(List.of(1234.5678, 100.4, 99.96, 12.345, 1.2345, 0.0, -3.456, 17.0))
                .extracting(Results::number)
                .containsExactly("1235", "100", "100.0", "12.3", "1.23", "0", "-3.46", "17");
    }
}
