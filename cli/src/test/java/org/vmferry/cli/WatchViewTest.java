package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmferry.cli.watch.Glance;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

class WatchViewTest {
    private static final long MIB = 1 << 20;

    private final WatchView view = new WatchView(StandardCharsets.US_ASCII);
    private long time;

    /** So many seconds of a third round, at 100 MiB/s. */
    private void seconds(int count, long dirtyMib, long remaining) {
        for (int i = 0; i < count; i++) {
            time++;
            Map<String, Object> ram = new HashMap<>();
            ram.put("total", 1024 * MIB);
            ram.put("transferred", time * 100 * MIB);
            ram.put("remaining", (remaining - 100 * i) * MIB);
            ram.put("dirty-sync-count", 3L);
            ram.put("dirty-pages-rate", dirtyMib * 256);
            ram.put("page-size", 4096L);
            view.add(
                    Glance.of(
                            time * 1_000_000_000L,
                            Map.of(
                                    "status",
                                    "active",
                                    "total-time",
                                    time * 1000,
                                    "expected-downtime",
                                    2400L,
                                    "ram",
                                    ram)));
        }
    }

    @Test
    void anExpectedEndIsSaidAsAGuess() {
        view.limits(new WatchView.Limits(300, 128 * MIB, false, true));
        seconds(3, 50, 600);
        assertThat(view.line())
                .isEqualTo(
                        "active, round 3, 3 s, 400 MiB of 1 GiB remain, 100 MiB/s sent, 50 MiB/s"
                                + " dirtied, in about 8 s, if it goes on like this");
        assertThat(view.advice()).isEmpty();
        assertThat(view.lines(79))
                .hasSize(5)
                .allMatch(line -> line.length() < 80)
                .anyMatch(
                        line -> line.startsWith("RAM        [###############           ] 400 MiB"))
                .anyMatch(
                        line ->
                                line.startsWith("sent        ##")
                                        && line.endsWith(" 100 MiB/s, may 128 MiB/s"))
                .anyMatch(line -> line.startsWith("dirtied    ==="));
    }

    @Test
    void whatDoesNotConvergeGetsAdviceThatFits() {
        view.limits(new WatchView.Limits(300, 128 * MIB, false, true));
        seconds(3, 120, 600);
        assertThat(view.line())
                .endsWith("none in sight: the guest dirties RAM faster than it goes");
        assertThat(view.advice())
                .hasSize(3)
                .anyMatch(
                        line -> line.startsWith("raise max-bandwidth, which holds it to 128 MiB/s"))
                .anyMatch(
                        line ->
                                line.contains("downtime-limit from 300 ms")
                                        && line.contains("2400 ms"))
                .anyMatch(
                        line ->
                                line.startsWith(
                                        "cancel it, and begin it again with auto-converge"));
        view.limits(new WatchView.Limits(3000, 0, true, false));
        assertThat(view.advice())
                .containsExactly(
                        "wait: auto-converge slows the guest more and more",
                        "or with multifd, if the network has more to give than one channel takes");
    }
}
