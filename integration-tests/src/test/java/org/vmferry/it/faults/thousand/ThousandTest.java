package org.vmferry.it.faults.thousand;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.it.support.Held;

import java.nio.file.Path;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Migrations with a fault each, at every moment of the protocol, half of them after the pause. Who
 * runs is asked of the guests; every outcome is a row of docs/ownership.md, and nothing is left.
 *
 * <p>{@code -Dfaults.seeds=79} or {@code 3,100-199} plays just these.
 */
class ThousandTest {
    private static final String SEEDS = "faults.seeds";
    private static final int WARM = 20;

    /** The end, and a goodbye, that the peer took no byte of. */
    private static final String STOOD_IN_A_WRITE = "185,591";

    /** With TLS, for what a plug-in threw. */
    private static final String BLAMED_THE_LINK = "254";

    /** The very last write throws: both sides waited for each other. */
    private static final String THREW_AT_THE_END = "57";

    @TempDir Path folder;

    @Test
    @Tag("OWN-1")
    @Tag("OWN-2")
    @Tag("OWN-5")
    @Tag("OWN-6")
    @Tag("OWN-7")
    @Tag("OWN-9")
    @Tag("OWN-10")
    @Tag("OWN-11")
    @Tag("OWN-33")
    @Tag("OWN-34")
    @Tag("OWN-35")
    @Tag("OWN-36")
    @Tag("OWN-37")
    void some() throws Exception {
        run("0-11," + String.join(",", STOOD_IN_A_WRITE, BLAMED_THE_LINK, THREW_AT_THE_END));
    }

    @Test
    @Tag("stress")
    @Timeout(3600)
    void aThousand() throws Exception {
        run("0-999");
    }

    /** Those of a text such as {@code 3,17,100-199}. */
    private static long[] seeds(String text) {
        return Stream.of(text.split(","))
                .map(range -> range.split("-"))
                .flatMapToLong(
                        ends ->
                                LongStream.rangeClosed(
                                        Long.parseLong(ends[0]),
                                        Long.parseLong(ends[ends.length - 1])))
                .toArray();
    }

    private void run(String seeds) throws Exception {
        Thousand thousand = new Thousand(folder);
        Held before = null;
        for (long seed : seeds(System.getProperty(SEEDS, seeds))) {
            if (thousand.count() == WARM) before = Held.now(); // what is loaded once is loaded
            thousand.run(seed);
        }
        Histogram histogram = thousand.histogram();
        System.out.println(histogram);
        assertThat(thousand.violations()).isEmpty();
        if (before == null) return; // a few were asked for
        // The JVM's heap grows by most of it.
        Held.now().assertNoMoreThan(before, 256 << 10);
        assertThat(histogram.struck()).isGreaterThan(histogram.all() * 7 / 10);
        assertThat(histogram.afterPause()).isGreaterThan(histogram.all() * 3 / 10);
    }
}
