package org.vmferry.it.fuzz;

import org.vmferry.it.support.Commands;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** Files that the command looks into, verifies, extracts from and converts. */
final class CommandFormat extends Format {
    private enum Deed {
        INSPECT,
        JSON,
        DEVICE,
        VERIFY,
        EXTRACT,
        TO_MAPPED,
        TO_STREAM
    }

    private static final List<Deed> DEEDS = List.of(Deed.values());
    private static final List<String> BLOCKS = List.of("pc.ram", "golden.ram", "/rom@fuzz");
    private static final List<String> DEVICES =
            List.of("cpu", "timer", "globalstate", "golden-device");

    private final Path folder;
    private final List<Sample> samples;

    CommandFormat(String name, int share, List<Sample> samples, Path folder) {
        super(name, share);
        this.samples = samples;
        this.folder = folder;
    }

    @Override
    void run(SplittableRandom random, Trial trial) throws Exception {
        Input input = one(random, samples).changed(random, one(random, samples));
        Path file = folder.resolve("input");
        Path made = folder.resolve("made");
        try {
            write(input, file);
            Commands command = new Commands();
            int status = command.run(arguments(random, file, made));
            ended(status, command, trial);
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(made);
        }
        try (Stream<Path> left = Files.list(folder)) {
            left.filter(each -> !each.endsWith("qmp"))
                    .findFirst()
                    .ifPresent(each -> trial.other("a file is left: " + each));
        }
    }

    private static void write(Input input, Path file) throws Exception {
        Files.write(file, input.main());
        if (input.size() == input.main().length) return;
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
            long last = Math.min(input.size(), 8L << 40) - 1;
            out.write(ByteBuffer.allocate(1), last);
        }
    }

    private static Object[] arguments(SplittableRandom random, Path file, Path made) {
        String block = one(random, BLOCKS);
        String device = one(random, DEVICES);
        return switch (one(random, DEEDS)) {
            case INSPECT -> new Object[] {"inspect", file};
            case JSON -> new Object[] {"inspect", file, "--json"};
            case DEVICE -> new Object[] {"inspect", file, "--device", device};
            case VERIFY -> new Object[] {"verify", file};
            case EXTRACT -> new Object[] {"extract", file, "--block", block, "-o", made};
            case TO_MAPPED -> new Object[] {"convert", file, made, "--format", "mapped-ram"};
            case TO_STREAM -> new Object[] {"convert", file, made, "--format", "stream"};
        };
    }

    private static void ended(int status, Commands command, Trial trial) {
        String err = command.err();
        if (status == 0) {
            trial.accepted();
        } else {
            trial.refused();
            trial.says(status == 3 ? command.out() : err); // 3: whole, and odd
        }
        if (status != 0 && status != 1 && status != 3) {
            trial.other("exit status " + status + ": " + err);
        }
        // What a file says is shown, and may look like anything but what drives a terminal.
        trial.shows(command.out());
    }
}
