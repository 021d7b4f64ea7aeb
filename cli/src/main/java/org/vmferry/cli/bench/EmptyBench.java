package org.vmferry.cli.bench;

import org.vmferry.spi.ram.AvailableMemory;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A guest that has much RAM and uses little, as {@link SparseRam} says: saved to mapped-ram and
 * loaded, and moved live over the loopback with multifd on two channels while it runs and stores
 * nothing. RAM is each process's own. Told is also by how much the processes grew meanwhile, and
 * how many pages were made in vmferry's machines: what is not in use is to stay absent.
 *
 * <p>vmferry's two processes have done all of it before, untimed, and what arrived was compared. A
 * QEMU is new for each work, as it is for the other benches.
 */
public final class EmptyBench extends Bench {
    private static final double MIB = 1 << 20;
    private static final int PAGE = 4096;
    private static final int ROM = 64 << 10;
    private static final int RESET_VECTOR = 0xfff0;
    private static final List<String> SNAPSHOT = List.of("mapped-ram");

    private final SparseRam ram;
    private final Path snapshot;
    private final Path run;
    private final Path rom;
    private final String qemu;
    private Pair pair;

    /**
     * A bench.
     *
     * @param directory where snapshots go
     * @param memory where small files lie
     * @param qemu its binary, or null to measure vmferry alone
     * @param size of RAM in bytes, a multiple of 1 MiB, 64 MiB or more
     * @param percent of it that are in use, 1 to 50
     */
    public EmptyBench(Path directory, Path memory, String qemu, long size, int percent) {
        super(Results.besideQemu());
        this.ram = new SparseRam(size, percent);
        this.snapshot = directory.resolve("bench.snap");
        this.run = memory.resolve("run");
        this.rom = memory.resolve("rom");
        this.qemu = qemu;
    }

    /**
     * Why a QEMU can't be measured beside: it looks at absent pages, and this kernel may make each
     * that is looked at.
     *
     * @param size of RAM in bytes
     * @return a sentence; null if it can be
     * @throws IOException if the system does not tell
     */
    public static String tooMuchForQemu(long size) throws IOException {
        if (!Proc.looksMakePages()) return null;
        long available = AvailableMemory.bytes().orElse(Long.MAX_VALUE);
        if (size <= available / 4 * 3) return null; // a destination looks at few
        return String.format(
                Locale.ROOT,
                "this kernel makes the pages that a QEMU looks at, and %.1f GiB of them are too"
                        + " much for the %.1f GiB that are available",
                size / 1024 / MIB,
                available / 1024 / MIB);
    }

    @Override
    public void prepare() throws IOException, InterruptedException {
        Files.write(run, ram.content());
        byte[] idle = new byte[ROM];
        byte[] code = {(byte) 0xfa, (byte) 0xf4, (byte) 0xeb, (byte) 0xfc}; // cli; hlt; jmp cli
        System.arraycopy(code, 0, idle, RESET_VECTOR, code.length);
        Files.write(rom, idle);
        pair = new Pair();
        vmferry(false);
    }

    @Override
    public void round(boolean qemuFirst) throws IOException, InterruptedException {
        inTurn(qemu, qemuFirst, this::qemu, () -> vmferry(true));
    }

    private void vmferry(boolean measured) throws IOException, InterruptedException {
        String uri = "file:" + snapshot;
        pair.make(GuestRam.sparse(ram), GuestRam.own(ram.size()));
        long used = pair.source.watch();
        pair.target.watch();
        Cost.Meter save = Cost.of(pair.source.pid());
        pair.source.send(uri, SNAPSHOT, false);
        pair.source.done();
        Cost saved = save.read();
        var source = pair.source.seen();
        check();
        Cost.Meter load = Cost.of(pair.target.pid());
        pair.target.load(uri, SNAPSHOT);
        pair.target.done();
        Cost loaded = load.read();
        var target = pair.target.seen();
        Files.delete(snapshot);
        if (measured) {
            note(false, "save", saved, source.grown());
            pages("in use", used);
            pages("save", source.made());
            note(false, "load", loaded, target.grown());
            pages("load", target.made());
        } else {
            pair.compare(ram.percent(), "load");
        }
        check();
        pair.drop();
        pair.make(GuestRam.sparse(ram), GuestRam.own(ram.size()));
        pair.source.watch();
        pair.target.watch();
        Cost moved = pair.move(MultifdBench.options(2, "none"), true).cost();
        source = pair.source.seen();
        target = pair.target.seen();
        if (measured) {
            note(false, "live", moved, source.grown() + target.grown());
            pages("live, source", source.made());
            pages("live, destination", target.made());
        } else {
            pair.compare(ram.percent(), "live");
        }
        pair.drop();
    }

    private void qemu() throws IOException, InterruptedException {
        String uri = "file:" + snapshot;
        List<String> options = new ArrayList<>(SNAPSHOT);
        options.add("max-bandwidth=0");
        try (var source = QemuProcess.builder(qemu, ram.size()).rom(rom).sparse(ram, run).start()) {
            long before = Proc.residentBytes(source.pid());
            Cost.Meter meter = Cost.of(source.pid());
            source.await("migrate", uri, options);
            try (FileChannel file = FileChannel.open(snapshot, StandardOpenOption.WRITE)) {
                file.force(true);
            }
            note(true, "save", meter.read(), Proc.residentBytes(source.pid()) - before);
        }
        check();
        try (var target = incoming()) {
            long before = Proc.residentBytes(target.pid());
            Cost.Meter meter = Cost.of(target.pid());
            target.await("migrate-incoming", uri, options);
            note(true, "load", meter.read(), Proc.residentBytes(target.pid()) - before);
        }
        Files.delete(snapshot);
        check();
        try (var source = QemuProcess.builder(qemu, ram.size()).rom(rom).sparse(ram, run).start();
                var target = incoming()) {
            source.run();
            long before = Proc.residentBytes(source.pid()) + Proc.residentBytes(target.pid());
            Cost cost = source.move(target, MultifdBench.options(2, "none"));
            long after = Proc.residentBytes(source.pid()) + Proc.residentBytes(target.pid());
            note(true, "live", cost, after - before);
        }
    }

    private QemuProcess incoming() throws IOException {
        return QemuProcess.builder(qemu, ram.size()).rom(rom).incoming(true).start();
    }

    private void note(boolean byQemu, String work, Cost cost, long grown) {
        results.add(byQemu, work, Results.MS, cost.seconds() * 1000);
        results.add(byQemu, work, Results.CPU, cost.cpuSeconds());
        results.add(byQemu, work + ", processes grew by", Results.MIB, grown / MIB);
    }

    private void pages(String work, long bytes) {
        results.add(false, work + ", made of RAM", Results.PAGES, bytes / (double) PAGE);
    }

    @Override
    public List<String> conclusions() {
        return List.of(
                "written to before: %d of %d pages"
                        .formatted(ram.used() / PAGE, ram.size() / PAGE));
    }

    @Override
    public void close() throws IOException {
        if (pair != null) pair.close();
        for (Path file : List.of(snapshot, run, rom)) Files.deleteIfExists(file);
    }
}
