package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** No number of a file is negative, and none is said to be: in messages, in logs, in JSON. */
class HostileNumbersTest {
    private static final Pattern NEGATIVE = Pattern.compile("(?<![\\w.)/:-])-\\d");

    @TempDir Path folder;

    @Test
    void noneIsShownNegative() throws Exception {
        List<String> lines =
                List.of(HostileNamesTest.said(folder, HostileNumbers.class, "").split("\n"));
        assertThat(lines.getLast()).isEqualTo("all was tried");
        assertThat(lines).filteredOn(line -> NEGATIVE.matcher(line).find()).isEmpty();
        // It was about such numbers: they stand there.
        assertThat(lines).filteredOn(line -> line.contains("4294967294")).hasSizeGreaterThan(20);
    }
}
