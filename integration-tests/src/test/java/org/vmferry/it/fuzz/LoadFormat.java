package org.vmferry.it.fuzz;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Feature;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/** Inputs that a machine is loaded from, over channels or out of a file, which is inspected too. */
final class LoadFormat extends Format {
    static final Duration BOUND = Duration.ofSeconds(30);
    private static final String CHANNEL = "memory";
    private static final String CHANNELS = "memory-channels";

    private final MemoryChannels channel = new MemoryChannels(CHANNEL, Feature.RETURN_PATH);
    private final MemoryChannels channels =
            new MemoryChannels(CHANNELS, Feature.MANY_CHANNELS, Feature.RETURN_PATH);
    private final MemoryFile file = new MemoryFile();
    private final Engine engine = new Engine(Plugins.discover().plus(channel, channels, file));
    private final boolean isFile;
    private final Path scratch; // null for a host
    private final List<Sample> samples;

    private LoadFormat(String name, int share, boolean isFile, Path scratch, List<Sample> samples) {
        super(name, share);
        this.isFile = isFile;
        this.scratch = scratch;
        this.samples = samples;
    }

    /** To a host with devices of its own, over channels. */
    static LoadFormat hosts(String name, int share, List<Sample> samples) {
        return new LoadFormat(name, share, false, null, samples);
    }

    /** To a host with devices of its own, from a file. */
    static LoadFormat hostsFiles(String name, int share, List<Sample> samples) {
        return new LoadFormat(name, share, true, null, samples);
    }

    /** To an archive, over channels. */
    static LoadFormat archives(String name, int share, List<Sample> samples, Path scratch) {
        return new LoadFormat(name, share, false, scratch, samples);
    }

    /** To an archive, from a file. */
    static LoadFormat archivesFiles(String name, int share, List<Sample> samples, Path scratch) {
        return new LoadFormat(name, share, true, scratch, samples);
    }

    @Override
    void run(SplittableRandom random, Trial trial) throws Exception {
        Sample sample = one(random, samples);
        attempt(sample, sample.changed(random, one(random, samples)), random, trial);
    }

    /** Tries this one, over connections in any order. */
    void attempt(Sample sample, Input input, SplittableRandom random, Trial trial)
            throws Exception {
        if (input.parts().size() > 1) {
            List<byte[]> parts = new ArrayList<>(input.parts());
            Collections.shuffle(parts, new Random(random.nextLong()));
            channels.say(parts);
        } else {
            channel.say(input.parts());
        }
        file.put(input);
        if (isFile && random.nextInt(4) == 0) inspect(trial);
        if (scratch == null) {
            load(new SmallMachine(trial), sample, input, trial);
        } else {
            try (NotingArchive archive = new NotingArchive(scratch, trial)) {
                load(archive, sample, input, trial);
            }
        }
    }

    private void inspect(Trial trial) {
        try {
            engine.inspect(MemoryFile.ID + ":x");
            trial.accepted();
        } catch (IOException | RuntimeException | Error e) {
            trial.failed(e);
        }
    }

    private void load(Migratable machine, Sample sample, Input input, Trial trial)
            throws Exception {
        Migration load;
        try {
            load = engine.receive(machine, address(input), settings(sample));
        } catch (IOException | RuntimeException | Error e) {
            trial.failed(e);
            return;
        }
        if (!load.await(BOUND)) {
            trial.other("hangs: " + Hang.describe(load.name()));
            load.yank();
            return;
        }
        if (load.state() == MigrationState.COMPLETED) {
            trial.accepted();
            return;
        }
        trial.failed(load.failure().orElseThrow());
        if (machine.runState() != RunState.INMIGRATE) {
            trial.other("a failed load's machine is in " + machine.runState());
        }
    }

    private String address(Input input) {
        if (isFile) return MemoryFile.ID + ":x";
        return input.parts().size() > 1 ? CHANNELS + ":x" : CHANNEL + ":x";
    }

    /** What a file says of itself goes before what its genuine form was written with. */
    private Settings settings(Sample sample) throws IOException {
        if (!isFile) return sample.settings();
        Settings settings = sample.settings().capability("mapped-ram", false);
        for (String name : engine.capabilities(MemoryFile.ID + ":x")) {
            settings = settings.capability(name);
        }
        return settings;
    }
}
