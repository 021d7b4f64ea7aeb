package org.vmferry.cli.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

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
public final class MultifdBench extends Bench {
    /** What is measured, each with level 1. */
    public static final List<String> CODECS = List.of("none", "zlib", "zstd");

    static final int WARM_UP = 4;

    private final Path ram;
    private final Path arrived;
    private final String qemu;
    private final long size;
    private final List<String> codecs;
    private final boolean prealloc;
    private final boolean anonymous;
    private Pair pair;

    /**
     * A bench.
     *
     * @param memory where the files lie that are RAM
     * @param qemu its binary, or null to measure vmferry alone
     * @param size of RAM in bytes, a multiple of 1 MiB
     * @param codecs of {@link #CODECS}
     * @param prealloc whether destinations make their pages before they are timed
     * @param anonymous whether RAM is each process's own, and no file
     */
    public MultifdBench(
            Path memory,
            String qemu,
            long size,
            List<String> codecs,
            boolean prealloc,
            boolean anonymous) {
        super(Results.besideQemu());
        this.ram = memory.resolve("ram");
        this.arrived = memory.resolve("arrived");
        this.qemu = qemu;
        this.size = size;
        this.codecs = codecs;
        this.prealloc = prealloc;
        this.anonymous = anonymous;
    }

    static List<String> options(int channels, String codec) {
        return List.of(
                "multifd",
                "multifd-channels=" + channels,
                "multifd-compression=" + codec,
                "max-bandwidth=0");
    }

    @Override
    public void prepare() throws IOException, InterruptedException {
        BenchMachine.fill(ram, size, this::check);
        pair = new Pair();
        for (int i = 0; i < WARM_UP; i++) vmferry(codecs.getFirst(), false);
        for (String codec : codecs) vmferry(codec, true);
    }

    @Override
    public void round(boolean qemuFirst) throws IOException, InterruptedException {
        for (String codec : codecs)
            inTurn(
                    qemu,
                    qemuFirst,
                    () -> note(true, codec, qemu(codec)),
                    () -> note(false, codec, vmferry(codec, false)));
    }

    private void note(boolean byQemu, String codec, Cost cost) {
        results.add(byQemu, codec, Results.RATE, size / 1e9 / cost.seconds());
        results.add(byQemu, codec, Results.CPU, cost.cpuSeconds());
    }

    /** One migration; what arrives may be compared, after it was timed. */
    private Cost vmferry(String codec, boolean compare) throws IOException, InterruptedException {
        check();
        GuestRam to = anonymous ? GuestRam.own(size) : GuestRam.of(arrived, size);
        try {
            pair.make(
                    anonymous ? GuestRam.copyOf(ram, size) : GuestRam.of(ram, size),
                    prealloc ? to.populated() : to);
            Cost cost = pair.move(options(2, codec), false).cost();
            if (compare) pair.compare(0, codec);
            pair.drop();
            return cost;
        } finally {
            Files.deleteIfExists(arrived);
        }
    }

    private Cost qemu(String codec) throws IOException, InterruptedException {
        try (var source = anonymous ? QemuProcess.copyOf(qemu, size, ram) : qemu(ram, false);
                var target = qemu(anonymous ? null : arrived, true)) {
            return source.move(target, options(2, codec));
        } finally {
            Files.deleteIfExists(arrived);
        }
    }

    private QemuProcess qemu(Path memory, boolean incoming) throws IOException {
        return QemuProcess.builder(qemu, size)
                .ram(memory)
                .incoming(incoming)
                .prealloc(incoming && prealloc)
                .start();
    }

    @Override
    public void close() throws IOException {
        if (pair != null) pair.close();
        for (Path file : List.of(ram, arrived)) Files.deleteIfExists(file);
    }
}
