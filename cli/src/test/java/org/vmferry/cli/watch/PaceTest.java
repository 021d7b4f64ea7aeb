package org.vmferry.cli.watch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.HashMap;
import java.util.Map;

class PaceTest {
    private static final long MIB = 1 << 20;
    private static final long SECOND = 1_000_000_000L;

    private final Pace pace = new Pace();
    private long transferred;

    /** Some seconds of a round: so much goes over the wire in each, and so much remains then. */
    private void seconds(int count, long round, long mibSent, long mibRemaining, long dirtyPages) {
        for (int i = 0; i < count; i++) {
            time += SECOND;
            transferred += mibSent * MIB;
            pace.add(glance(round, transferred, (mibRemaining - i * mibSent) * MIB, dirtyPages));
        }
    }

    private long time = 5;

    private Glance glance(long round, long sent, long remaining, long dirtyPages) {
        Map<String, Object> ram = new HashMap<>();
        ram.put("total", 1024 * MIB);
        ram.put("transferred", sent);
        ram.put("remaining", remaining);
        ram.put("dirty-sync-count", round);
        ram.put("dirty-pages-rate", dirtyPages);
        ram.put("page-size", 4096L);
        return Glance.of(time, Map.of("status", "active", "ram", ram));
    }

    @Test
    void nothingIsSaidOfWhatIsNotKnown() {
        assertThat(pace.sent()).isEmpty();
        assertThat(pace.left(300)).isEmpty();
        assertThat(pace.leftOfRound()).isEmpty();
        seconds(1, 1, 100, 900, 0);
        assertThat(pace.sent()).as("of one moment").isEmpty();
        seconds(2, 1, 100, 800, 0);
        assertThat(pace.sent()).hasValue(100 * MIB);
        assertThat(pace.leftOfRound()).hasValue(7);
        assertThat(pace.dirtied()).as("in the first round").isEmpty();
        assertThat(pace.left(300)).as("nobody knows what is dirtied").isEmpty();
    }

    @Test
    void whatConvergesEndsWhenTheRestFitsIntoThePause() {
        seconds(3, 2, 100, 600, 50 * 256); // 50 MiB/s
        assertThat(pace.isHopeless()).isFalse();
        assertThat(pace.dirtied()).hasValue(50 * MIB);
        // 400 MiB remain, of which 30 fit into 300 ms; it gets less by 50 MiB a second.
        assertThat(pace.left(300).getAsDouble()).isBetween(7.39, 7.41);
        assertThat(pace.left(-1)).as("without a limit that is known").hasValue(8);
    }

    @Test
    void whatIsDirtiedFasterThanItGoesHasNoEnd() {
        seconds(3, 3, 100, 600, 100 * 256);
        assertThat(pace.isHopeless()).isTrue();
        assertThat(pace.left(300)).isEmpty();
        assertThat(pace.leftOfRound()).hasValue(4);
    }

    @Test
    void aRateIsOfLateAndOfOneMigration() {
        seconds(20, 1, 100, 4000, 0);
        seconds(6, 1, 10, 2000, 0);
        assertThat(pace.sent()).hasValue(10 * MIB);
        transferred = 0; // another one
        seconds(1, 1, 10, 2000, 0);
        assertThat(pace.sent()).isEmpty();
    }
}
