package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A guest of which the rest would pass at each round's end, and no longer when the peer has taken
 * the round: it is never switched over for having been looked at often.
 */
class LooksTest {
    private static final int PAGE = 4096;
    private static final int MIB = 1 << 20;
    private static final long LITTLE = PAGE;
    private static final long MUCH = 10 * MIB;

    private long now; // ns
    private final List<Integer> throttled = new ArrayList<>();

    private Convergence judge(Options options) throws MigrationException {
        MigrationSession session =
                new MigrationSession(
                        LifeCycle.Role.SENDS,
                        "looks",
                        options.with(EngineOptions.DOWNTIME_LIMIT, 100L),
                        new UUID(0, 0),
                        Optional.empty(),
                        0);
        return new Convergence(session, Optional.of(throttled::add), PAGE, true, () -> now);
    }

    private boolean fits(Convergence judge) throws MigrationException {
        return judge.fits(MIB, MIB, MIB / PAGE, 20, LITTLE);
    }

    /** A round that fits, and does not any more when it was taken. */
    private void inVain(Convergence judge) throws MigrationException {
        assertThat(fits(judge)).as("worth asking").isTrue();
        assertThat(judge.fitsStill(21, 1, MUCH)).isFalse();
    }

    private void inVain(Convergence judge, int times) throws MigrationException {
        for (int i = 0; i < times; i++) {
            inVain(judge);
            now += 3_600_000_000_000L * 24;
        }
    }

    @Test
    @Tag("RPT-5")
    void itIsLookedAtMoreAndMoreSeldom() throws Exception {
        Convergence judge = judge(Options.DEFAULTS);
        for (int i = 0; i < Convergence.CHANCES; i++) inVain(judge); // one right after another
        long waited = 0;
        for (int i = 0; i < 10; i++) {
            long began = now;
            while (!fits(judge)) now += 10_000_000;
            assertThat(now - began).isGreaterThan(waited);
            waited = now - began;
            assertThat(judge.fitsStill(21, 1, MUCH)).isFalse();
        }
    }

    @Test
    @Tag("RPT-5")
    void itFailsInTheEndAndIsNotSwitchedOver() throws Exception {
        Convergence judge = judge(Options.DEFAULTS);
        inVain(judge, Convergence.MOST_LOOKS - 1);
        assertThat(fits(judge)).isTrue();
        MigrationException end =
                catchThrowableOfType(MigrationException.class, () -> judge.fitsStill(21, 1, MUCH));
        assertThat(end.blame()).isEqualTo(Blame.USER);
        assertThat(end)
                .hasMessageMatching(
                        "the guest did not converge in 48 times that the destination had all of it:"
                                + " it dirties \\d+ pages/s, and the rest would take \\d+ ms, with"
                                + " downtime-limit 100 ms");
    }

    @Test
    void theLastLookMayBeTheOneThatFits() throws Exception {
        Convergence judge = judge(Options.DEFAULTS);
        inVain(judge, Convergence.MOST_LOOKS - 1);
        assertThat(fits(judge)).isTrue();
        assertThat(judge.fitsStill(21, 1, LITTLE)).isTrue();
    }

    /** The dirty log is asked once more in the pause, and the guest stands still meanwhile. */
    @Test
    void theTimeToAskTheLogCounts() throws Exception {
        Convergence judge = judge(Options.DEFAULTS);
        judge.harvestTook(100);
        assertThat(fits(judge)).isFalse();
        assertThat(judge.expectedDowntime()).isGreaterThan(100);
        judge.harvestTook(50);
        assertThat(fits(judge)).isTrue();
    }

    @Test
    void autoConvergeSlowsIt() throws Exception {
        Convergence judge = judge(Options.DEFAULTS.with(EngineOptions.AUTO_CONVERGE, true));
        inVain(judge, Convergence.CHANCES - 1);
        assertThat(throttled).isEmpty();
        inVain(judge, 2);
        assertThat(throttled).containsExactly(20, 30);
    }
}
