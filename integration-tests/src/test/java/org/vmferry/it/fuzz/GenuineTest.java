package org.vmferry.it.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.option.Settings;

import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/** What the fuzzer changes is accepted as it is: else it would end in its first bytes. */
class GenuineTest {
    @TempDir Path folder;

    @Test
    @Tag("MFD-7")
    void aQemusChannelsAre() throws Exception {
        for (Sample quick : PacketSamples.qemus()) {
            Settings slow = quick.settings().parameter("connect-timeout", "20000");
            Sample sample = new Sample(quick.name(), quick.input(), quick.structures(), slow);
            accepts(LoadFormat.archives("qemu", 1, List.of(sample), folder), sample);
        }
    }

    @Test
    @Tag("RPT-5")
    void bothWaysOfAReturnPathAre() throws Exception {
        for (boolean acknowledges : new boolean[] {false, true}) {
            Sample asked = new AnswerFormat("answers", 1).heard(acknowledges); // and was answered
            accepts(LoadFormat.hosts("host", 1, List.of(asked)), asked);
        }
    }

    @Test
    void aJarIs() throws Exception {
        try (JarFormat format = new JarFormat("jars", 1, folder)) {
            for (boolean lacks : new boolean[] {false, true}) {
                Trial trial = new Trial();
                format.attempt(Jar.genuine(lacks).bytes(), "a.jar", trial);
                assertThat(trial.page).isTrue();
                Trial.End end = lacks ? Trial.End.TYPED : Trial.End.ACCEPTED;
                assertThat(trial.end()).isEqualTo(end);
            }
        }
    }

    private static void accepts(LoadFormat format, Sample sample) throws Exception {
        Trial trial = new Trial();
        try (format) {
            format.attempt(sample, sample.input(), new SplittableRandom(1), trial);
        }
        assertThat(trial.end())
                .as("%s: %s", sample.name(), trial.why())
                .isEqualTo(Trial.End.ACCEPTED);
        assertThat(trial.page).isTrue();
        assertThat(trial.device).isTrue();
    }
}
