package org.vmferry.it.leak;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.it.faults.thousand.Thousand;
import org.vmferry.it.support.Held;

import java.nio.file.Path;

/**
 * Migrations over everything that there is, cut, cancelled and yanked at every moment, in one
 * process: all of them end, and it holds then what it held before.
 */
class MixedTest {
    private static final int FIRST = 10_000; // other seeds than the thousand's
    private static final int WARM = 12;

    @TempDir Path folder;

    @Test
    @Tag("stress")
    @Timeout(3600)
    void aThousand() throws Exception {
        Thousand mixed = new Thousand(folder);
        mixed.runMixed(FIRST, WARM); // whatever is loaded once is loaded
        Held before = Held.now();
        mixed.runMixed(FIRST, 1000);
        Held after = Held.now();
        assertThat(mixed.violations()).isEmpty();
        after.assertNoMoreThan(before, 256 << 10);
    }
}
