package org.vmferry.it.faults.thousand;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.it.faults.thousand.Way.Link;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Every method that a host or a plug-in implements, as the SPI's classes say: the first time that
 * it is called it throws a RuntimeException, or an Error, leaves its thread interrupted, or does
 * not come back for a minute while its side is yanked. Each outcome is a row of docs/ownership.md,
 * who threw is blamed by name, a yank keeps its word, and nothing is left.
 */
class EveryCallbackTest {
    private static final List<Way> WAYS =
            List.of(
                    new Way(Link.TCP, "", false, true, true, false),
                    new Way(Link.UNIX, "", false, false, false, false),
                    new Way(Link.TCP, "zstd", true, true, false, false),
                    new Way(Link.TCP, "none", false, false, false, false),
                    new Way(Link.SAVE, "", false, false, false, false),
                    new Way(Link.SAVE, "none", false, false, false, true),
                    new Way(Link.LOAD, "", false, false, false, false),
                    new Way(Link.LOAD, "none", false, false, false, true));

    @TempDir Path folder;

    /** {@code -Dfaults.way=0} plays one alone. */
    static List<Way> ways() {
        Integer one = Integer.getInteger("faults.way");
        return one == null ? WAYS : List.of(WAYS.get(one));
    }

    @ParameterizedTest
    @MethodSource("ways")
    @Tag("stress")
    @Timeout(1800)
    void throwsOrLeavesAnInterrupt(Way way) throws Exception {
        run(way, Harm.THROW, Harm.THROW_ERROR, Harm.INTERRUPT);
    }

    @ParameterizedTest
    @MethodSource("ways")
    @Tag("stress")
    @Timeout(1800)
    void sleeps(Way way) throws Exception {
        run(way, Harm.SLEEP);
    }

    private void run(Way way, Harm... harms) throws Exception {
        Thousand all = new Thousand(folder);
        if (way.link() != Link.LOAD) {
            all.runEveryCallback(way, Side.SOURCE, Moment.START, harms);
            all.runEveryCallback(way, Side.SOURCE, Moment.PAUSED, harms);
        }
        if (way.link() == Link.LOAD) {
            all.runEveryCallback(way, Side.DESTINATION, Moment.START, harms);
        } else if (way.link() != Link.SAVE) {
            all.runEveryCallback(way, Side.DESTINATION, Moment.START, harms);
            all.runEveryCallback(way, Side.DESTINATION, Moment.BEGINNING, harms);
        }
        System.out.println(way + ": " + all.histogram());
        assertThat(all.histogram().threw()).hasSizeGreaterThan(10);
        assertThat(all.violations()).isEmpty();
    }

    /** None is forgotten: what the ways above don't call is here, with where it is tried. */
    @Test
    void theWaysCallEveryMethod() throws Exception {
        Thousand all = new Thousand(folder);
        Set<String> called = new TreeSet<>();
        for (Way way : WAYS) called.addAll(all.called(way));
        Set<String> missing = new TreeSet<>(Seams.methods());
        missing.removeAll(
                called.stream().map(call -> call.split(" ")[0]).collect(Collectors.toSet()));
        assertThat(missing).isEqualTo(ELSEWHERE.keySet());
    }

    private static final Map<String, String> ELSEWHERE = Map.of();
}
