package org.vmferry.cli.bench;

import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Migrations over the loopback with multifd on two channels: QEMU to QEMU beside vmferry to
 * vmferry, source and destination in a process each, on the same RAM, in alternating order. A
 * destination's RAM is a new file each time, in the same folder.
 *
 * <p>A migration is timed until both ends are done. Its CPU seconds are both processes' user and
 * system time over the migration. vmferry's processes stay: they have migrated four times, and with
 * each codec once more, untimed, before they are measured, and the RAM that arrived then is
 * compared.
 */
public final class MultifdBench implements AutoCloseable {
    /** What is measured, each with level 1. */
    public static final List<String> CODECS = List.of("none", "zlib", "zstd");

    private static final int WARM_UP = 4;

    /** One migration: from its beginning until both ends were done, and of both processes. */
    private record Cost(double seconds, double cpuSeconds) {}

    private final Path ram;
    private final Path arrived;
    private final String qemu;
    private final long size;
    private final boolean prealloc;
    private final Engine engine = Engine.create();
    private final Results results = new Results();
    private DestinationProcess destination;
    private volatile boolean cancelled;

    /**
     * A bench.
     *
     * @param memory where the files lie that are RAM
     * @param qemu its binary, or null to measure vmferry alone
     * @param size of RAM in bytes, a multiple of 1 MiB
     * @param prealloc whether destinations touch their RAM before they are timed
     */
    public MultifdBench(Path memory, String qemu, long size, boolean prealloc) {
        this.ram = memory.resolve("ram");
        this.arrived = memory.resolve("arrived");
        this.qemu = qemu;
        this.size = size;
        this.prealloc = prealloc;
    }

    static Settings settings(String codec) {
        return Settings.NONE
                .capability("multifd")
                .parameter("multifd-channels", "2")
                .parameter("multifd-compression", codec)
                .parameter("max-bandwidth", "0");
    }

    /**
     * Makes the RAM, warms vmferry's two processes up, and compares what arrives.
     *
     * @param codecs those that will be measured
     */
    public void prepare(List<String> codecs) throws IOException, InterruptedException {
        BenchMachine.fill(ram, size, this::check);
        destination = new DestinationProcess();
        for (int i = 0; i < WARM_UP; i++) {
            vmferry(codecs.getFirst());
            Files.delete(arrived);
        }
        for (String codec : codecs) {
            vmferry(codec);
            try (var before = new BenchMachine(ram, size);
                    var after = new BenchMachine(arrived, size)) {
                if (before.memory().mismatch(after.memory()) >= 0)
                    throw new IOException(codec + ": the RAM that arrived differs");
            }
            Files.delete(arrived);
        }
    }

    /**
     * One round.
     *
     * @param codec one of {@link #CODECS}
     * @param qemuFirst who begins
     */
    public void round(String codec, boolean qemuFirst) throws IOException, InterruptedException {
        if (qemu != null && qemuFirst) note(true, codec, qemu(codec));
        note(false, codec, vmferry(codec));
        if (qemu != null && !qemuFirst) note(true, codec, qemu(codec));
    }

    private void note(boolean byQemu, String codec, Cost cost) throws IOException {
        Files.delete(arrived);
        results.add(byQemu, codec, Results.RATE, size / 1e9 / cost.seconds);
        results.add(byQemu, codec, Results.CPU, cost.cpuSeconds);
    }

    private Cost vmferry(String codec) throws IOException, InterruptedException {
        check();
        long self = ProcessHandle.current().pid();
        try (var machine = new BenchMachine(ram, size)) {
            String uri = destination.receive(size, codec, prealloc, arrived);
            double cpu = cpuSeconds(self) + cpuSeconds(destination.pid());
            long begin = System.nanoTime();
            engine.send(machine, uri, settings(codec)).await();
            destination.await();
            return cost(begin, cpuSeconds(self) + cpuSeconds(destination.pid()) - cpu);
        }
    }

    private Cost qemu(String codec) throws IOException, InterruptedException {
        check();
        try (var source = new QemuProcess(qemu, ram, size, null, false, false);
                var target = new QemuProcess(qemu, arrived, size, null, true, prealloc)) {
            for (QemuProcess end : List.of(source, target))
                end.set(
                        List.of("multifd"),
                        Map.of(
                                "multifd-channels",
                                2,
                                "multifd-compression",
                                codec,
                                "multifd-zlib-level",
                                1,
                                "multifd-zstd-level",
                                1,
                                "max-bandwidth",
                                0));
            target.execute("migrate-incoming", Map.of("uri", "tcp:127.0.0.1:0"));
            String uri = target.address();
            double cpu = cpuSeconds(source.pid()) + cpuSeconds(target.pid());
            long begin = System.nanoTime();
            source.execute("migrate", Map.of("uri", uri));
            source.await();
            target.await();
            return cost(begin, cpuSeconds(source.pid()) + cpuSeconds(target.pid()) - cpu);
        }
    }

    private static Cost cost(long begin, double cpuSeconds) {
        return new Cost((System.nanoTime() - begin) / 1e9, cpuSeconds);
    }

    /** User and system time of a process so far; Linux counts it in hundredths of a second. */
    private static double cpuSeconds(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
        // The second field is a name in brackets that may hold anything.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / 100.0;
    }

    private void check() throws MigrationException {
        if (cancelled) throw MigrationException.user("interrupted");
    }

    /** Ends what runs: without its peer a migration fails. Any thread. */
    public void cancel() {
        cancelled = true;
        ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
    }

    /**
     * What was measured.
     *
     * @return throughput in 1e9 bytes of RAM per second, and CPU seconds
     */
    public Results results() {
        return results;
    }

    /** Ends its processes and removes its files. */
    @Override
    public void close() throws IOException {
        if (destination != null) destination.close();
        for (Path file : List.of(ram, arrived)) Files.deleteIfExists(file);
    }
}
