package org.vmferry.it.faults.thousand;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The faults find it when a rule of ownership is broken: the same run turns red. */
class BrokenRulesTest {
    private static final String ENGINE = "engine/src/main/java/org/vmferry/engine/migration/";

    private static final String MULTIFD = "plugin-multifd/src/main/java/org/vmferry/multifd/";

    @TempDir Path folder;

    /** The destination says that it runs the guest before it does. */
    @Test
    @Tag("stress")
    void shutComesBeforeTheMachineBegins() throws Exception {
        Mutant.compile(
                ENGINE + "ChannelLoad.java",
                Map.of(
                        "                begin(state);\n            }",
                        "                if (answers != null) answers.begun();\n"
                                + "                begin(state);\n            }"),
                folder.resolve("mutant"));
        assertRed(0, 999, "the guest does not run there");
    }

    @Test
    @Tag("stress")
    void theCommitComesAfterTheEnd() throws Exception {
        commitAfterTheEnd();
        assertRed(0, 999, "ran in both");
    }

    /** The same with the first seed of those that finds it. */
    @Test
    @Tag("OWN-3")
    void theCommitComesAfterTheEndQuickly() throws Exception {
        commitAfterTheEnd();
        assertRed(317, 317, "ran in both");
    }

    /** The source is sure that it still has the guest, though the end is on its way. */
    private void commitAfterTheEnd() throws Exception {
        Mutant.compile(
                ENGINE + "ChannelSave.java",
                Map.of(
                        "        life.commit();\n        silence.patient();",
                        "        silence.patient();",
                        "        if (answer == null) return true;\n",
                        "        life.commit();\n        if (answer == null) return true;\n"),
                folder.resolve("mutant"));
    }

    @Test
    @Tag("stress")
    void aChannelTooManyIsNotMinded() throws Exception {
        noChannelIsTooMany();
        assertRed(0, 999, "harmed: there");
    }

    /** The same with the seeds that find it, until one does: which pages are missed is a race. */
    @Test
    @Tag("OWN-22")
    void aChannelTooManyIsNotMindedQuickly() throws Exception {
        noChannelIsTooMany();
        String all = "";
        for (int round = 0; round < 5; round++) {
            for (int seed : List.of(63, 233, 338, 983)) {
                all += run(seed, seed);
                if (all.contains("harmed: there")) return;
            }
        }
        assertThat(all).contains("VIOLATION", "harmed: there");
    }

    /**
     * The destination takes no notice of a channel that it has no place for, nor of the packets
     * that it misses then.
     */
    private void noChannelIsTooMany() throws Exception {
        Mutant.compile(
                MULTIFD + "Roster.java",
                Map.of(
                        "        workers.fail(tooMany); // its pages would be missed\n"
                                + "        throw tooMany;",
                        "        return true;"),
                folder.resolve("mutant"));
        Mutant.compile(
                MULTIFD + "PacketNumbers.java",
                Map.of("        if (!all) {", "        if (!all && count < 0) {"),
                folder.resolve("mutant"));
    }

    /** Whether a run of these seeds finds it. */
    private void assertRed(long first, long last, String said) throws Exception {
        assertThat(run(first, last)).contains("VIOLATION", said);
    }

    /** What a run of these seeds says, with the mutant in front of the class path. */
    private String run(long first, long last) throws Exception {
        Path output = folder.resolve("said");
        String classes =
                folder.resolve("mutant")
                        + File.pathSeparator
                        + System.getProperty("java.class.path");
        Process child =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                classes,
                                Thousand.class.getName(),
                                Files.createTempDirectory(folder, "run-").toString(),
                                "" + first,
                                "" + last)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        try {
            int status = child.waitFor();
            String all = Files.readString(output, StandardCharsets.UTF_8);
            System.out.println(all);
            assertThat(status).as(all).isEqualTo(all.contains("VIOLATION") ? 1 : 0);
            return all;
        } finally {
            child.destroyForcibly().waitFor();
        }
    }
}
