package org.vmferry.cli.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a migration takes, by the size of RAM and the number of channels: each size with each number
 * in every round, with multifd, uncompressed, over the loopback, from file to file. Beside it what
 * QEMU takes.
 *
 * <p>vmferry's two JVMs have migrated before, untimed. They have 8 MiB for new objects, so that
 * garbage which nobody collected yet does not hide how much is in use; what a process has of its
 * heap at the most is the more of the two.
 */
public final class ScaleBench extends Bench {
    private static final long MIB = 1 << 20;
    private static final String NEW_OBJECTS = "-Xmn8m";

    private final Path arrived;
    private final Path memory;
    private final String qemu;
    private final List<Long> sizes;
    private final List<Integer> channels;
    private Pair pair;

    /**
     * A bench.
     *
     * @param memory where the files lie that are RAM
     * @param qemu its binary, or null to measure vmferry alone
     * @param sizes of RAM in bytes, multiples of 1 MiB, no two the same
     * @param channels how many, no two the same
     */
    public ScaleBench(Path memory, String qemu, List<Long> sizes, List<Integer> channels) {
        super(Results.besideQemu());
        this.memory = memory;
        this.arrived = memory.resolve("arrived");
        this.qemu = qemu;
        this.sizes = sizes;
        this.channels = channels;
    }

    private Path ram(long size) {
        return memory.resolve("ram-" + size);
    }

    @Override
    public void prepare() throws IOException, InterruptedException {
        for (long size : sizes) BenchMachine.fill(ram(size), size, this::check);
        pair = new Pair(NEW_OBJECTS);
        for (int i = 0; i < MultifdBench.WARM_UP; i++) vmferry(sizes.getFirst(), 1, false, false);
        for (int count : channels) vmferry(sizes.getFirst(), count, false, true);
    }

    @Override
    public void round(boolean qemuFirst) throws IOException, InterruptedException {
        for (long size : sizes)
            for (int count : channels)
                inTurn(
                        qemu,
                        qemuFirst,
                        () -> qemu(size, count),
                        () -> vmferry(size, count, true, false));
    }

    private void vmferry(long size, int count, boolean measured, boolean compare)
            throws IOException, InterruptedException {
        check();
        try {
            pair.make(GuestRam.of(ram(size), size), GuestRam.of(arrived, size));
            pair.source.watch();
            pair.target.watch();
            Cost cost = pair.move(MultifdBench.options(count, "none"), false).cost();
            long heap = Math.max(pair.source.seen().heap(), pair.target.seen().heap());
            if (compare) pair.compare(0, work(size, count));
            pair.drop();
            if (!measured) return;
            note(false, size, count, cost);
            results.add(false, work(size, count), Results.HEAP, heap / (double) MIB);
        } finally {
            Files.deleteIfExists(arrived);
        }
    }

    private void qemu(long size, int count) throws IOException, InterruptedException {
        try (var source = QemuProcess.builder(qemu, size).ram(ram(size)).start();
                var target = QemuProcess.builder(qemu, size).ram(arrived).incoming(true).start()) {
            note(true, size, count, source.move(target, MultifdBench.options(count, "none")));
        } finally {
            Files.deleteIfExists(arrived);
        }
    }

    private void note(boolean byQemu, long size, int count, Cost cost) {
        results.add(byQemu, work(size, count), Results.SECONDS, cost.seconds());
        results.add(byQemu, work(size, count), Results.CPU, cost.cpuSeconds());
    }

    private static String work(long size, int channels) {
        return text(size) + ", " + channels + (channels == 1 ? " channel" : " channels");
    }

    private static String text(long size) {
        return size % (1024 * MIB) == 0 ? (size >> 30) + " GiB" : (size >> 20) + " MiB";
    }

    /**
     * A line for each number of channels: how far from straight the first and the last size are.
     */
    @Override
    public List<String> conclusions() {
        long first = sizes.getFirst();
        long last = sizes.getLast();
        if (first == last) return List.of();
        List<String> lines = new ArrayList<>();
        for (int count : channels) {
            String line =
                    "%s beside %s, channels: %d: vmferry's time per GiB %s, CPU %s, heap %s"
                            .formatted(
                                    text(last),
                                    text(first),
                                    count,
                                    times(perGib(false, Results.SECONDS, count)),
                                    times(perGib(false, Results.CPU, count)),
                                    times(
                                            results.median(false, work(last, count), Results.HEAP)
                                                    / results.median(
                                                            false,
                                                            work(first, count),
                                                            Results.HEAP)));
            if (qemu != null)
                line +=
                        "; QEMU's time per GiB %s, CPU %s"
                                .formatted(
                                        times(perGib(true, Results.SECONDS, count)),
                                        times(perGib(true, Results.CPU, count)));
            lines.add(line);
        }
        return lines;
    }

    /** The last size's, as a multiple of the first one's. */
    private double perGib(boolean ofQemu, String unit, int count) {
        long first = sizes.getFirst();
        long last = sizes.getLast();
        return results.median(ofQemu, work(last, count), unit)
                / last
                / (results.median(ofQemu, work(first, count), unit) / first);
    }

    private static String times(double ratio) {
        return Double.isFinite(ratio) ? "x" + Results.number(ratio) : "-"; // of too little time
    }

    @Override
    public void close() throws IOException {
        if (pair != null) pair.close();
        for (long size : sizes) Files.deleteIfExists(ram(size));
        Files.deleteIfExists(arrived);
    }
}
