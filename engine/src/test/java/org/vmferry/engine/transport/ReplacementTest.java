package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;

/** The system's table of mounts, in which anybody who may mount writes what he likes. */
class ReplacementTest {
    private static final String LINE = "36 35 98:0 / %s rw,nosuid shared:1 - tmpfs tmpfs rw%n";

    private static boolean isMounted(String table, String name) {
        return Replacement.isMountPoint(table.getBytes(StandardCharsets.ISO_8859_1), Path.of(name));
    }

    /** As a user's own file systems (FUSE) may be called; U+00FF is one byte here, and no UTF-8. */
    @ParameterizedTest
    @ValueSource(strings = {"/tmp/\u00ff", "/tmp/a\rb\rc", "\r", "/tmp/a\u0085b\u000bc", ""})
    void whatOthersMountIsInNobodysWay(String evil) {
        String ours = LINE.formatted("/var/vm\\040a.snap");
        String table = LINE.formatted("/") + LINE.formatted(evil) + ours;
        assertThat(isMounted(table, "/var/vm a.snap")).isTrue();
        assertThat(isMounted(table, "/var/vm.snap")).isFalse();
    }

    @Test
    void anyBytesAreATable() {
        Random random = new Random(12);
        byte[] table = new byte[4096];
        for (int i = 0; i < 100; i++) {
            random.nextBytes(table);
            for (int at = 0; at < table.length; at += 1 + random.nextInt(9)) table[at] = ' ';
            assertThat(Replacement.isMountPoint(table, Path.of("/var/vm.snap"))).isFalse();
        }
    }
}
