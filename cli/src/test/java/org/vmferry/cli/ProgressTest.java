package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.PrintWriter;
import java.io.StringWriter;

class ProgressTest {
    private static final long MILLISECOND = 1_000_000;
    private static final long GIB = 1L << 30;

    private final StringWriter err = new StringWriter();
    private long now = 17;
    private int width = 120;

    private Progress progress(Progress.Style style) {
        return new Progress(new PrintWriter(err), style, width, "saving vm.snap", () -> now);
    }

    private void tenSecondsOf(Progress progress) {
        for (int step = 1; step <= 1000; step++) {
            now += 10 * MILLISECOND;
            progress.show(2 * GIB * step / 1000, 4 * GIB);
        }
    }

    @Test
    void aBarIsRedrawnTenTimesASecondAndTakenAway() {
        try (var progress = progress(Progress.Style.BAR)) {
            tenSecondsOf(progress);
        }
        String[] drawn = err.toString().split("\r");
        assertThat(drawn).hasSizeBetween(95, 103);
        assertThat(drawn[100])
                .startsWith("saving vm.snap [###############               ]  50 % of 4 GiB, 20")
                .contains("MiB/s, 10 s left");
        assertThat(err.toString()).doesNotContain("\n").endsWith(" \r");
    }

    @Test
    void elsewhereThereIsALineEveryFewSeconds() {
        try (var progress = progress(Progress.Style.LINES)) {
            tenSecondsOf(progress);
        }
        assertThat(err.toString().lines()).hasSize(2);
        assertThat(err.toString())
                .contains("vmferry: saving vm.snap:  25 % of 4 GiB, ")
                .doesNotContain("\r");
    }

    @Test
    void quietIsQuiet() {
        try (var progress = progress(Progress.Style.NONE)) {
            tenSecondsOf(progress);
        }
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void anUnknownTotalIsNotGuessed() {
        try (var progress = progress(Progress.Style.BAR)) {
            now += 1000 * MILLISECOND;
            progress.show(5 << 20, 0);
        }
        assertThat(err.toString()).contains("saving vm.snap 5 MiB, 5 MiB/s").doesNotContain("%");
    }

    /** Of a tenth of a second nobody knows what a second is like. */
    @Test
    void noRateIsSaidBeforeASecondIsOver() {
        try (var progress = progress(Progress.Style.BAR)) {
            for (int step = 1; step < 10; step++) {
                now += 100 * MILLISECOND;
                progress.show(step << 20, GIB);
            }
            assertThat(err.toString()).contains("% of 1 GiB").doesNotContain("/s", "left");
            now += 100 * MILLISECOND;
            progress.show(10 << 20, GIB);
            assertThat(err.toString()).contains("10 MiB/s, 1:42 min left");
        }
    }

    /** A line that is wrapped can't be drawn over. */
    @Test
    void aNarrowTerminalHasAShorterBarOrNone() {
        for (int columns : new int[] {20, 60, 80, 100}) {
            width = columns;
            err.getBuffer().setLength(0);
            try (var progress = progress(Progress.Style.BAR)) {
                tenSecondsOf(progress);
            }
            assertThat(err.toString().split("\r")).allMatch(line -> line.length() < columns);
            assertThat(err.toString().contains("["))
                    .as("%d columns", columns)
                    .isEqualTo(columns > 69);
        }
    }

    /** A link that is dead has no rate, whatever it did before. */
    @Test
    void nothingHasNoRate() {
        try (var progress = progress(Progress.Style.LINES)) {
            tenSecondsOf(progress);
            err.getBuffer().setLength(0);
            for (int step = 1; step <= 3000; step++) {
                now += 10 * MILLISECOND;
                progress.show(2 * GIB, 4 * GIB);
            }
        }
        assertThat(err.toString().lines())
                .hasSize(6)
                .first()
                .isEqualTo("vmferry: saving vm.snap:  50 % of 4 GiB, nothing for 5 s");
        assertThat(err.toString())
                .contains("50 % of 4 GiB, nothing for 30 s")
                .doesNotContain("/s", "left");
    }

    /** The rate is that of the last seconds. */
    @Test
    void aRateIsOfLate() {
        try (var progress = progress(Progress.Style.BAR)) {
            tenSecondsOf(progress);
            for (int step = 1; step <= 1500; step++) {
                now += 10 * MILLISECOND;
                progress.show(2 * GIB + (step << 20) / 100, 4 * GIB);
            }
        }
        assertThat(err.toString().split("\r")[245]).contains("% of 4 GiB, 1 MiB/s, "); // 200 before
    }
}
