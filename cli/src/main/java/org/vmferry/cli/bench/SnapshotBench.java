package org.vmferry.cli.bench;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Snapshots beside a QEMU's: the same RAM, the same file system, alternating order.
 *
 * <p>Every save is timed until the file is on disk: vmferry syncs it before it gives it its name, a
 * QEMU does not, so there the sync is added. Every restore but those by mapping goes into a new
 * memory file, or into memory of the process's own, as with QEMU's plain -m, in huge pages where
 * the system gives them. The snapshots are in the page cache when they are restored.
 */
public final class SnapshotBench extends Bench {
    /** Settings of both; QEMU has direct-io with multifd only. */
    private enum Way {
        PLAIN(""),
        CHANNELS(", 2 channels", "multifd", "multifd-channels=2"),
        DIRECT(", 2 channels, direct-io", "multifd", "multifd-channels=2", "direct-io=on");

        final String label;
        final List<String> options = new ArrayList<>(List.of("mapped-ram"));

        Way(String label, String... more) {
            this.label = label;
            options.addAll(List.of(more));
        }
    }

    private final Path ram;
    private final Path restored;
    private final Path snapshot;
    private final String qemu;
    private final long size;
    private final boolean prealloc;
    private final boolean anonymous;
    private volatile Migration running;

    /**
     * A bench.
     *
     * @param directory where snapshots go
     * @param memory where the files lie that are RAM
     * @param qemu its binary, or null to measure vmferry alone
     * @param size of RAM in bytes, a multiple of 1 MiB
     * @param prealloc whether all pages are made before they are timed, where it is not mapped
     * @param anonymous whether RAM is each process's own, and no file
     */
    public SnapshotBench(
            Path directory,
            Path memory,
            String qemu,
            long size,
            boolean prealloc,
            boolean anonymous) {
        super(Results.besideQemu());
        this.ram = memory.resolve("ram");
        this.restored = memory.resolve("restored");
        this.snapshot = directory.resolve("bench.snap");
        this.qemu = qemu;
        this.size = size;
        this.prealloc = prealloc;
        this.anonymous = anonymous;
    }

    @Override
    public void prepare() throws IOException {
        BenchMachine.fill(ram, size, this::check);
    }

    @Override
    public void round(boolean qemuFirst) throws IOException, InterruptedException {
        for (Way way : Way.values()) inTurn(qemu, qemuFirst, () -> qemu(way), () -> vmferry(way));
    }

    private void vmferry(Way way) throws IOException, InterruptedException {
        Engine engine = Engine.create();
        String uri = "file:" + snapshot;
        Settings settings = Side.settings(way.options);
        GuestRam from = anonymous ? GuestRam.copyOf(ram, size) : GuestRam.of(ram, size);
        GuestRam to = anonymous ? GuestRam.own(size) : GuestRam.of(restored, size);
        try (var machine = (prealloc ? from.populated() : from).make()) {
            long begin = System.nanoTime();
            await(engine.send(machine, uri, settings));
            note(false, "save" + way.label, begin);
        }
        try (var machine = (prealloc ? to.populated() : to).make()) {
            long begin = System.nanoTime();
            await(engine.receive(machine, uri, settings));
            note(false, "restore" + way.label, begin);
            if (way == Way.PLAIN) compare(machine);
        }
        Files.deleteIfExists(restored);
        // From the second time on the code is warm, as in a host that runs; the median tells.
        for (int i = 0; i < 5; i++) {
            try (var machine = new BenchMachine(null, size)) {
                long begin = System.nanoTime();
                await(engine.receive(machine, uri, settings));
                machine.memory().get(ValueLayout.JAVA_BYTE, size / 2);
                note(false, "map to first access" + way.label, begin);
            }
        }
        Files.delete(snapshot);
    }

    private void await(Migration migration) throws IOException, InterruptedException {
        running = migration;
        if (isCancelled()) migration.cancel();
        migration.await();
    }

    @Override
    public void cancel() {
        super.cancel();
        Migration migration = running;
        if (migration != null) migration.cancel();
    }

    private void compare(BenchMachine after) throws IOException {
        try (var before = new BenchMachine(ram, size)) {
            if (before.memory().mismatch(after.memory()) >= 0)
                throw new IOException("the restored RAM differs from what was saved");
        }
    }

    private void qemu(Way way) throws IOException, InterruptedException {
        String uri = "file:" + snapshot;
        List<String> options = new ArrayList<>(way.options);
        options.add("max-bandwidth=0");
        try (var source = anonymous ? QemuProcess.copyOf(qemu, size, ram) : builder(ram).start()) {
            long begin = System.nanoTime();
            source.await("migrate", uri, options);
            try (FileChannel file = FileChannel.open(snapshot, StandardOpenOption.WRITE)) {
                file.force(true);
            }
            note(true, "save" + way.label, begin);
        }
        Path to = anonymous ? null : restored;
        try (var destination = builder(to).incoming(true).start()) {
            long begin = System.nanoTime();
            destination.await("migrate-incoming", uri, options);
            note(true, "restore" + way.label, begin);
        }
        Files.deleteIfExists(restored);
        Files.delete(snapshot);
    }

    private QemuProcess.Builder builder(Path file) {
        return QemuProcess.builder(qemu, size).ram(file).prealloc(prealloc);
    }

    private void note(boolean byQemu, String what, long begin) {
        results.add(byQemu, what, Results.MS, (System.nanoTime() - begin) / 1e6);
    }

    @Override
    public void close() throws IOException {
        for (Path file : List.of(ram, restored, snapshot)) Files.deleteIfExists(file);
    }
}
