package org.vmferry.cli.bench;

import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Migrations over the loopback with multifd on two channels: QEMU to QEMU beside vmferry to
 * vmferry, source and destination in a process each, on the same RAM, in alternating order. A
 * destination's RAM is a new file each time, in the same folder; or all four processes have memory
 * of their own, as with QEMU's plain -m, in huge pages where the system gives them.
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
    private final boolean anonymous;
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
     * @param anonymous whether RAM is each process's own, and no file
     */
    public MultifdBench(Path memory, String qemu, long size, boolean prealloc, boolean anonymous) {
        this.ram = memory.resolve("ram");
        this.arrived = memory.resolve("arrived");
        this.qemu = qemu;
        this.size = size;
        this.prealloc = prealloc;
        this.anonymous = anonymous;
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
        String sum;
        try (var machine = new BenchMachine(ram, size)) {
            sum = Long.toString(machine.checksum());
        }
        for (int i = 0; i < WARM_UP; i++) vmferry(codecs.getFirst(), Optional.empty());
        for (String codec : codecs) vmferry(codec, Optional.of(sum));
    }

    /**
     * One round.
     *
     * @param codec one of {@link #CODECS}
     * @param qemuFirst who begins
     */
    public void round(String codec, boolean qemuFirst) throws IOException, InterruptedException {
        if (qemu != null && qemuFirst) note(true, codec, qemu(codec));
        note(false, codec, vmferry(codec, Optional.empty()));
        if (qemu != null && !qemuFirst) note(true, codec, qemu(codec));
    }

    private void note(boolean byQemu, String codec, Cost cost) {
        results.add(byQemu, codec, Results.RATE, size / 1e9 / cost.seconds);
        results.add(byQemu, codec, Results.CPU, cost.cpuSeconds);
    }

    /** One migration; what arrives is compared with a sum, after it was timed. */
    private Cost vmferry(String codec, Optional<String> sum)
            throws IOException, InterruptedException {
        check();
        long self = ProcessHandle.current().pid();
        Optional<Path> into = anonymous ? Optional.empty() : Optional.of(arrived);
        try (var machine =
                anonymous ? BenchMachine.copyOf(ram, size) : new BenchMachine(ram, size)) {
            String uri = destination.receive(size, codec, prealloc, sum.isPresent(), into);
            double cpu = cpuSeconds(self) + cpuSeconds(destination.pid());
            long begin = System.nanoTime();
            engine.send(machine, uri, settings(codec)).await();
            String found = destination.await();
            Cost cost = cost(begin, cpuSeconds(self) + cpuSeconds(destination.pid()) - cpu);
            if (!found.equals(sum.orElse(found)))
                throw new IOException(codec + ": the RAM that arrived differs");
            return cost;
        } finally {
            Files.deleteIfExists(arrived);
        }
    }

    private Cost qemu(String codec) throws IOException, InterruptedException {
        check();
        try (var source = anonymous ? filled() : qemu(ram, false);
                var target = qemu(anonymous ? null : arrived, true)) {
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
        } finally {
            Files.deleteIfExists(arrived);
        }
    }

    private QemuProcess qemu(Path memory, boolean incoming) throws IOException {
        return new QemuProcess(qemu, memory, size, null, incoming, incoming && prealloc);
    }

    /** A QEMU with memory of its own, which got its content from one whose RAM is the file. */
    private QemuProcess filled() throws IOException, InterruptedException {
        QemuProcess filled = qemu(null, true);
        try (var first = qemu(ram, false)) {
            for (QemuProcess end : List.of(first, filled))
                end.set(List.of(), Map.of("max-bandwidth", 0));
            filled.execute("migrate-incoming", Map.of("uri", "tcp:127.0.0.1:0"));
            first.execute("migrate", Map.of("uri", filled.address()));
            first.await();
            filled.await();
            return filled;
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            filled.close();
            throw e;
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
