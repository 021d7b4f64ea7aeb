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
        List<Sample> samples = PacketSamples.qemus();
        for (Sample quick : samples) {
            Settings slow = quick.settings().parameter("connect-timeout", "20000");
            Sample sample = new Sample(quick.name(), quick.input(), quick.structures(), slow);
            Trial trial = new Trial();
            try (LoadFormat format = LoadFormat.archives("qemu", 1, samples, folder)) {
                format.attempt(sample, sample.input(), new SplittableRandom(1), trial);
            }
            assertThat(trial.end()).as(sample.name() + ": " + trial.why()).isEqualTo(Trial.End.ACCEPTED);
            assertThat(trial.device).isTrue();
            assertThat(trial.page).isTrue();
        }
    }
}
