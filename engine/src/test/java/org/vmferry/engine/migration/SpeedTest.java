package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** The arithmetic of the expected downtime: a link of 50,000 bytes a ms, which is 400 Mbit/s. */
class SpeedTest {
    private static final int PAGE = 4096;
    private static final int MIB = 1 << 20;
    private static final double LINK = 50_000;
    private static final Offset<Double> ABOUT = within(2.0);

    private final Speed asked = new Speed(PAGE, true);
    private final Speed unasked = new Speed(PAGE, false);

    private static long pages(int mib) {
        return (long) mib * MIB / PAGE;
    }

    /** Of 64 MiB in the round 24 are not zero, and these alone took its time. */
    @Test
    void zeroPagesAreTheFewBytesThatTheyAreOnTheWire() {
        double ms = 24 * MIB / LINK;
        asked.round(24 * MIB, pages(24), ms);
        asked.taken(ms + 1, 1);
        assertThat(asked.ms(pages(20))).isCloseTo(20 * MIB / LINK + 1, ABOUT);
        unasked.round(24 * MIB, pages(24), ms);
        assertThat(unasked.ms(pages(20))).isCloseTo(20 * MIB / LINK, ABOUT);
    }

    /** The system takes 4 MiB in a ms, and the peer needs 84 for them. */
    @Test
    void whatSocketsBuffersTookIsNotThere() {
        asked.round(4 * MIB, pages(4), 1);
        assertThat(asked.ms(pages(4))).as("worth asking").isLessThan(10);
        asked.taken(4 * MIB / LINK, 0.5);
        assertThat(asked.ms(pages(4))).isCloseTo(4 * MIB / LINK, ABOUT);
    }

    @Test
    void asMuchAsTheLastRoundTakesAsLong() {
        asked.round(4 * MIB, pages(4), 1);
        asked.taken(84, 83);
        assertThat(asked.ms(pages(8))).as("more").isGreaterThanOrEqualTo(168);
        assertThat(asked.ms(pages(1))).as("less, but for the trip").isBetween(83.0, 110.0);
    }

    /** Three pages that took a trip of 20 ms don't mean that the link is slow. */
    @Test
    void aSmallRoundSaysNothingAgainstTheLink() {
        asked.round(24 * MIB, pages(24), 24 * MIB / LINK);
        asked.taken(24 * MIB / LINK + 20, 20);
        asked.round(3 * PAGE, 3, 0.01);
        asked.taken(20, 20);
        assertThat(asked.ms(pages(2))).isBetween(2 * MIB / LINK, 2 * MIB / LINK + 25);
    }

    /** One that is small, but slow, does for as much as itself. */
    @Test
    void aSmallRoundThatWasSlowCounts() {
        asked.round(24 * MIB, pages(24), 24 * MIB / LINK);
        asked.taken(24 * MIB / LINK, 1);
        asked.round(MIB / 2, pages(1) / 2, 0.1);
        asked.taken(800, 799);
        assertThat(asked.ms(pages(1) / 2)).isGreaterThanOrEqualTo(799);
    }

    /** All of RAM may be packed to a tenth; what a guest writes to is not, until it was seen. */
    @Test
    void aDirtyPageCostsWhatTheLastDirtyPagesCost() {
        asked.round(6 * MIB, pages(60), 6 * MIB / LINK);
        asked.taken(6 * MIB / LINK, 0);
        assertThat(asked.ms(pages(10))).isCloseTo(10 * MIB / LINK, ABOUT);
        asked.round(5 * MIB, pages(10), 5 * MIB / LINK);
        asked.taken(5 * MIB / LINK, 0);
        assertThat(asked.ms(pages(10))).as("half packed").isCloseTo(5 * MIB / LINK, ABOUT);
    }

    @Test
    void withNobodyToAskWhatIsKnownDecides() {
        asked.round(4 * MIB, pages(4), 1);
        asked.taken(84, 0.5);
        asked.round(4 * MIB, pages(4), 1);
        assertThat(asked.ms(pages(4))).as("worth asking").isLessThan(10);
        asked.trustKnown();
        assertThat(asked.ms(pages(4))).isCloseTo(84, ABOUT);
    }

    /** Buffers were full when it was asked first: that is no reason never to ask again. */
    @Test
    void anAnswerThatTookLongIsAskedForAgain() {
        asked.round(4 * MIB, pages(4), 1);
        asked.taken(400, 399);
        asked.round(4 * MIB, pages(4), 1);
        assertThat(asked.ms(pages(4))).as("worth asking").isLessThan(10);
        asked.taken(85, 1);
        assertThat(asked.ms(pages(4))).isCloseTo(86, ABOUT);
    }

    @Test
    void nothingTakesATrip() {
        asked.round(4 * MIB, pages(4), 84);
        asked.taken(85, 1);
        assertThat(asked.ms(0)).isEqualTo(1);
    }
}
