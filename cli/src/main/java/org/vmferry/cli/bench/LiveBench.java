package org.vmferry.cli.bench;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Statistics;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * Live migrations over the loopback, of a guest that dirties pages at a set rate: QEMU to QEMU
 * beside vmferry to vmferry, source and destination in a process each, in alternating order, with
 * multifd on two channels and a return path, so that the downtime ends when the destination has
 * everything. Each side's source tells its own downtime, time and rounds.
 *
 * <p>Both guests write to the same window of a quarter of RAM, at most 1 GiB, and are paced by the
 * same clock in this process. vmferry's two processes have migrated before, untimed, and the RAM
 * that arrived then was compared with the source's.
 */
public final class LiveBench extends Bench {
    /** Between two looks at the clock, in ns. */
    static final long TICK = 500_000;

    private static final ValueLayout.OfInt WORD =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long MIB = 1 << 20;
    private static final int FROM = (int) (16 * MIB);
    private static final long BANDWIDTH = 128 * MIB; // QEMU's default
    private static final int WARM_UP = 2;

    /** How many pages a guest may have written to by now. */
    record Pace(long began, long rate) {
        static Pace of(long rate) {
            return new Pace(System.nanoTime(), rate);
        }

        long allowed() {
            return (System.nanoTime() - began) / 1000 * rate / 1_000_000;
        }
    }

    private final Path ram;
    private final Path arrived;
    private final Path rom;
    private final String qemu;
    private final long size;
    private final long rate;
    private final long limit;
    private final int to;
    private final Engine engine = Engine.create();
    private SideProcess destination;

    /**
     * A bench.
     *
     * @param memory where the files lie that are RAM
     * @param qemu its binary, or null to measure vmferry alone
     * @param size of RAM in bytes, a multiple of 1 MiB, 64 MiB or more
     * @param rate pages/s that the guest dirties
     * @param limit downtime-limit in ms
     */
    public LiveBench(Path memory, String qemu, long size, long rate, long limit) {
        super(Results.besideQemu());
        this.ram = memory.resolve("ram");
        this.arrived = memory.resolve("arrived");
        this.rom = memory.resolve("rom");
        this.qemu = qemu;
        this.size = size;
        this.rate = rate;
        this.limit = limit;
        this.to = FROM + (int) Math.min(size / 4 & -MIB, 1024 * MIB);
    }

    @Override
    public void prepare() throws IOException, InterruptedException {
        BenchMachine.fill(ram, size, this::check);
        Files.write(rom, DirtyRom.image(FROM, to));
        destination = new SideProcess();
        for (int i = 0; i < WARM_UP; i++) {
            vmferry();
            try (var before = new BenchMachine(ram, size);
                    var after = new BenchMachine(arrived, size)) {
                if (before.memory().mismatch(after.memory()) >= 0)
                    throw new IOException("the RAM that arrived differs");
            }
            Files.delete(arrived);
        }
    }

    @Override
    public void round(boolean qemuFirst) throws IOException, InterruptedException {
        inTurn(qemu, qemuFirst, () -> note(true, qemu()), () -> note(false, vmferry()));
    }

    /** Of one migration, times in ms. */
    private record Cost(double downtime, double total, double rounds, double pages) {}

    private void note(boolean byQemu, Cost cost) throws IOException {
        Files.delete(arrived);
        String against = "downtime, with downtime-limit " + limit;
        results.add(byQemu, against, Results.MS, cost.downtime);
        results.add(byQemu, "total time", Results.MS, cost.total);
        results.add(byQemu, "rounds", Results.COUNT, cost.rounds);
        double ran = cost.total - cost.downtime;
        results.add(byQemu, "dirtied, of " + rate, "pages/s", cost.pages * 1000 / ran);
    }

    private Cost vmferry() throws IOException, InterruptedException {
        check();
        List<String> options =
                List.of(
                        "multifd",
                        "multifd-channels=2",
                        "return-path",
                        "max-bandwidth=" + BANDWIDTH,
                        "downtime-limit=" + limit);
        try (var memory = new BenchMachine(ram, size);
                var machine = new DirtyingMachine(memory.memory(), Pace.of(rate), FROM, to)) {
            machine.enter(RunState.RUNNING);
            destination.make(GuestRam.of(arrived, size));
            String uri = destination.receive("tcp:127.0.0.1:0", options);
            long before = machine.count();
            var migration = engine.send(machine, uri, Side.settings(options));
            migration.await();
            destination.done();
            destination.drop();
            Statistics done = migration.statistics();
            return new Cost(
                    atLeast1(done.downtime()),
                    done.totalTime(),
                    done.dirtySyncCount(),
                    machine.count() - before);
        }
    }

    private Cost qemu() throws IOException, InterruptedException {
        check();
        try (var memory = new BenchMachine(ram, size)) {
            for (int word : List.of(DirtyRom.BUDGET, DirtyRom.COUNT))
                memory.memory().set(WORD, word, 0);
            try (var source = QemuProcess.builder(qemu, size).ram(ram).rom(rom).start();
                    var target =
                            QemuProcess.builder(qemu, size)
                                    .ram(arrived)
                                    .rom(rom)
                                    .incoming(true)
                                    .start();
                    var pacer = new Pacer(memory.memory())) {
                List<String> both =
                        List.of(
                                "multifd",
                                "multifd-channels=2",
                                "max-bandwidth=" + BANDWIDTH,
                                "downtime-limit=" + limit);
                target.set(both);
                source.set(both);
                source.set(List.of("return-path"));
                source.run();
                target.execute("migrate-incoming", Map.of("uri", "tcp:127.0.0.1:0"));
                String uri = target.address();
                pacer.start();
                long before = pacer.count();
                source.execute("migrate", Map.of("uri", uri));
                source.await();
                target.await();
                Map<?, ?> done = source.execute("query-migrate", Map.of());
                return new Cost(
                        atLeast1(number(done, "downtime")),
                        number(done, "total-time"),
                        number((Map<?, ?>) done.get("ram"), "dirty-sync-count"),
                        pacer.count() - before);
            }
        }
    }

    /** For the ratio's sake. */
    private static long atLeast1(long downtime) {
        return Math.max(1, downtime);
    }

    private static long number(Map<?, ?> answer, String name) throws IOException {
        if (answer.get(name) instanceof Number value) return value.longValue();
        throw new IOException("QEMU does not tell its " + name + ": " + answer);
    }

    /** Tells a QEMU's guest how far it may be, through the RAM that both see. */
    private final class Pacer implements AutoCloseable {
        private final MemorySegment memory;
        private final Thread thread = new Thread(this::run, "bench-pacer");
        private volatile boolean over;

        Pacer(MemorySegment memory) {
            this.memory = memory;
            thread.setDaemon(true);
        }

        void start() {
            thread.start();
        }

        private void run() {
            for (Pace pace = Pace.of(rate); !over; LockSupport.parkNanos(TICK))
                memory.set(WORD, DirtyRom.BUDGET, (int) pace.allowed());
        }

        long count() {
            return Integer.toUnsignedLong(memory.get(WORD, DirtyRom.COUNT));
        }

        @Override
        public void close() {
            over = true;
            try {
                thread.join(); // before its memory goes
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void close() throws IOException {
        if (destination != null) destination.close();
        for (Path file : List.of(ram, arrived, rom)) Files.deleteIfExists(file);
    }
}
