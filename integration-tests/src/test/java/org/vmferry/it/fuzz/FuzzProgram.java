package org.vmferry.it.fuzz;

import com.sun.management.OperatingSystemMXBean;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * Tries inputs, in a JVM of its own with a small heap: {@code FOLDER INPUTS FIRST FORMATS}. FOLDER
 * is empty, and so again at the end; FORMATS are some, with commas, or "all". Prints a table, then
 * a line for each input that ended as none may, with which it can be had again: FORMAT:SEED. Exits
 * with 1 if there is one, or if anything was left.
 */
public final class FuzzProgram {
    private static final int WARM = 150; // inputs of each format until all is loaded

    private static final int SOON = 20; // looks, until who is on his way out is gone

    /** To which the JDK says that a line of a manifest comes twice. */
    private static final Logger MANIFESTS = Logger.getLogger("java.util.jar");

    private final Path folder;
    private final Watchdog watchdog = new Watchdog();
    private final List<String> left = new ArrayList<>();

    private FuzzProgram(Path folder) {
        this.folder = folder;
    }

    /** The process. */
    public static void main(String[] arguments) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "off");
        MANIFESTS.setLevel(Level.OFF);
        FuzzProgram program = new FuzzProgram(Path.of(arguments[0]));
        long inputs = Long.parseLong(arguments[1]);
        long first = Long.parseLong(arguments[2]);
        List<Tally> tallies = new ArrayList<>();
        try (Formats formats = new Formats(program.folder)) {
            List<Format> chosen = formats.named(arguments[3]);
            program.watchdog.start(); // the samples are there: what comes is tried
            long shares = chosen.stream().mapToLong(Format::share).sum();
            for (Format format : chosen) {
                long count = Math.max(1, inputs * format.share() / shares);
                tallies.add(program.run(format, first, count));
                System.out.println(tallies.getLast());
            }
        }
        program.end(tallies);
    }

    private Tally run(Format format, long first, long count) throws Exception {
        Tally tally = new Tally(format.name());
        Left before = null;
        long begin = System.nanoTime();
        long cpu = cpu();
        for (long seed = first; seed < first + count; seed++) {
            if (seed == first + WARM) {
                format.settle();
                before = Left.now();
            }
            watchdog.tries(format.name() + ":" + seed);
            Trial trial = new Trial();
            try {
                format.run(random(format, seed), trial);
            } catch (Exception | Error e) {
                trial.failed(e);
            }
            tally.add(seed, trial);
            if (trial.end() == Trial.End.OTHER) {
                System.out.println(format.name() + ":" + seed + ": " + trial.other());
            }
        }
        tally.cpu = cpu() - cpu;
        tally.nanos = System.nanoTime() - begin;
        watchdog.tries("what is left of " + format.name());
        if (before != null) nothingMore(format, before);
        return tally;
    }

    /** What this process has used, in ns. */
    private static long cpu() {
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return system.getProcessCpuTime();
    }

    static SplittableRandom random(Format format, long seed) {
        return new SplittableRandom(seed * 31 + format.name().hashCode());
    }

    private void nothingMore(Format format, Left before) throws Exception {
        format.settle();
        String more = Left.now().beyond(before);
        for (int i = 0; i < SOON && !more.isEmpty(); i++) more = Left.now().beyond(before);
        if (!more.isEmpty()) left.add(format.name() + " leaves" + more);
    }

    private void end(List<Tally> tallies) throws IOException {
        System.out.println();
        System.out.println(Tally.head());
        tallies.forEach(System.out::println);
        Tally sum = Tally.sum(tallies);
        System.out.println(sum);
        try (Stream<Path> files = Files.list(folder)) {
            files.forEach(file -> left.add("a file is left: " + file));
        }
        left.forEach(System.out::println);
        System.exit(sum.other == 0 && left.isEmpty() ? 0 : 1);
    }
}
