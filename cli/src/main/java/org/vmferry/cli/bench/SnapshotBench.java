package org.vmferry.cli.bench;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

/**
 * Snapshots beside a QEMU's: the same RAM, the same file system, alternating order.
 *
 * <p>Every save is timed until the file is on disk: vmferry syncs it before it gives it its name, a
 * QEMU does not, so there the sync is added. Every restore but those by mapping goes into a new
 * memory file. The snapshots are in the page cache when they are restored.
 */
public final class SnapshotBench implements AutoCloseable {
    /** Settings of both; QEMU has direct-io with multifd only. */
    private enum Way {
        PLAIN(""),
        CHANNELS(", 2 channels"),
        DIRECT(", 2 channels, direct-io");

        final String label;

        Way(String label) {
            this.label = label;
        }
    }

    private final Path ram;
    private final Path restored;
    private final Path snapshot;
    private final String qemu;
    private final long size;
    private final Results results = new Results();
    private volatile Migration running;
    private volatile boolean cancelled;

    /**
     * A bench.
     *
     * @param directory where snapshots go
     * @param memory where the files lie that are RAM
     * @param qemu its binary, or null to measure vmferry alone
     * @param size of RAM in bytes, a multiple of 1 MiB
     */
    public SnapshotBench(Path directory, Path memory, String qemu, long size) {
        this.ram = memory.resolve("ram");
        this.restored = memory.resolve("restored");
        this.snapshot = directory.resolve("bench.snap");
        this.qemu = qemu;
        this.size = size;
    }

    /** Makes the RAM. */
    public void fill() throws IOException {
        BenchMachine.fill(ram, size, this::check);
    }

    /**
     * One round.
     *
     * @param qemuFirst who begins
     */
    public void round(boolean qemuFirst) throws IOException, InterruptedException {
        for (Way way : Way.values()) {
            check();
            if (qemu != null && qemuFirst) qemu(way);
            vmferry(way);
            if (qemu != null && !qemuFirst) qemu(way);
        }
    }

    private void vmferry(Way way) throws IOException, InterruptedException {
        Engine engine = Engine.create();
        String uri = "file:" + snapshot;
        Settings settings = Settings.NONE.capability("mapped-ram");
        if (way != Way.PLAIN)
            settings = settings.capability("multifd").parameter("multifd-channels", "2");
        if (way == Way.DIRECT) settings = settings.parameter("direct-io", "on");
        long begin = System.nanoTime();
        try (var machine = new BenchMachine(ram, size)) {
            begin = System.nanoTime();
            await(engine.send(machine, uri, settings));
            note(false, "save" + way.label, begin);
        }
        try (var machine = new BenchMachine(restored, size)) {
            begin = System.nanoTime();
            await(engine.receive(machine, uri, settings));
            note(false, "restore" + way.label, begin);
        }
        if (way == Way.PLAIN) compare();
        Files.delete(restored);
        // From the second time on the code is warm, as in a host that runs; the median tells.
        for (int i = 0; i < 5; i++) {
            try (var machine = new BenchMachine(null, size)) {
                begin = System.nanoTime();
                await(engine.receive(machine, uri, settings));
                machine.memory().get(ValueLayout.JAVA_BYTE, size / 2);
                note(false, "map to first access" + way.label, begin);
            }
        }
        Files.delete(snapshot);
    }

    private void await(Migration migration) throws IOException, InterruptedException {
        running = migration;
        if (cancelled) migration.cancel();
        migration.await();
    }

    private void check() throws MigrationException {
        if (cancelled) throw MigrationException.user("interrupted");
    }

    /** Ends what runs. Any thread. */
    public void cancel() {
        cancelled = true;
        Migration migration = running;
        if (migration != null) migration.cancel();
        ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
    }

    private void compare() throws IOException {
        try (var before = new BenchMachine(ram, size);
                var after = new BenchMachine(restored, size)) {
            if (before.memory().mismatch(after.memory()) >= 0)
                throw new IOException("the restored RAM differs from what was saved");
        }
    }

    private void qemu(Way way) throws IOException, InterruptedException {
        try (var source = new QemuProcess(qemu, ram, size, null, false, false)) {
            long begin = System.nanoTime();
            migrate(source, "migrate", way);
            try (FileChannel file = FileChannel.open(snapshot, StandardOpenOption.WRITE)) {
                file.force(true);
            }
            note(true, "save" + way.label, begin);
        }
        try (var destination = new QemuProcess(qemu, restored, size, null, true, false)) {
            long begin = System.nanoTime();
            migrate(destination, "migrate-incoming", way);
            note(true, "restore" + way.label, begin);
        }
        Files.delete(restored);
        Files.delete(snapshot);
    }

    private void migrate(QemuProcess process, String command, Way way)
            throws IOException, InterruptedException {
        process.set(
                way == Way.PLAIN ? List.of("mapped-ram") : List.of("mapped-ram", "multifd"),
                Map.of(
                        "max-bandwidth", 0,
                        "multifd-channels", 2,
                        "direct-io", way == Way.DIRECT));
        process.execute(command, Map.of("uri", "file:" + snapshot));
        process.await();
    }

    private void note(boolean byQemu, String what, long begin) {
        results.add(byQemu, what, Results.MS, (System.nanoTime() - begin) / 1e6);
    }

    /**
     * What was measured.
     *
     * @return in ms
     */
    public Results results() {
        return results;
    }

    /** Removes its files. */
    @Override
    public void close() throws IOException {
        for (Path file : List.of(ram, restored, snapshot)) Files.deleteIfExists(file);
    }
}
