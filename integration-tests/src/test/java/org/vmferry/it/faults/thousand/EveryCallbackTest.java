package org.vmferry.it.faults.thousand;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.it.faults.thousand.Way.Link;

import java.nio.file.Path;
import java.util.List;

/**
 * Every method that a host or a plug-in implements throws, the first time that it is called: a
 * RuntimeException and an Error. Each outcome is a row of docs/ownership.md, and nothing is left.
 */
@Tag("stress")
class EveryCallbackTest {
    @TempDir Path folder;

    static List<Way> ways() {
        return List.of(
                new Way(Link.TCP, "", false, true, true, false),
                new Way(Link.UNIX, "", false, false, false, false),
                new Way(Link.TCP, "zstd", true, true, false, false),
                new Way(Link.TCP, "none", false, false, false, false),
                new Way(Link.SAVE, "", false, false, false, false),
                new Way(Link.SAVE, "none", false, false, false, true),
                new Way(Link.LOAD, "", false, false, false, false),
                new Way(Link.LOAD, "none", false, false, false, true));
    }

    @ParameterizedTest
    @MethodSource("ways")
    @Timeout(1800)
    @Tag("OWN-35")
    @Tag("OWN-36")
    @Tag("OWN-37")
    void throwsOnce(Way way) throws Exception {
        Thousand all = new Thousand(folder);
        if (way.link() != Link.LOAD) {
            all.runEveryCallback(way, Side.SOURCE, Moment.SET_UP);
            all.runEveryCallback(way, Side.SOURCE, Moment.PAUSED);
        }
        if (way.link() == Link.LOAD) all.runEveryCallback(way, Side.DESTINATION, Moment.ARRIVES);
        else if (way.link() != Link.SAVE) {
            all.runEveryCallback(way, Side.DESTINATION, Moment.SET_UP);
            all.runEveryCallback(way, Side.DESTINATION, Moment.BEGINNING);
        }
        System.out.println(way + ": " + all.histogram());
        assertThat(all.histogram().threw()).hasSizeGreaterThan(10);
        assertThat(all.violations()).isEmpty();
    }
}
