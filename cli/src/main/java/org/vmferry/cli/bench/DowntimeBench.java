package org.vmferry.cli.bench;

import org.vmferry.cli.jvm.ChildJvm;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How long a guest stands still, by its own clock, when both of the processes that migrate it have
 * just begun. In every round a source and a destination are started anew.
 */
public final class DowntimeBench implements AutoCloseable {
    private static final long MIB = 1 << 20;
    private static final int FROM = (int) (16 * MIB);

    private final Path ram;
    private final Path arrived;
    private final List<String> by;
    private final long size;
    private final long window;
    private final long rate;
    private final long limit;
    private final List<String> options;
    private final boolean empty;
    private final List<Gap> gaps = new ArrayList<>();
    private volatile boolean cancelled;

    /**
     * One switch-over, in ms.
     *
     * @param guest for how long the guest stood still, by its own clock
     * @param told by the source
     * @param expected by the source, before
     * @param rounds that it took
     */
    public record Gap(double guest, long told, long expected, long rounds) {}

    /**
     * A bench.
     *
     * @param memory where the files lie that are RAM
     * @param by what starts both processes, such as {@code ip netns exec slow}; may be empty
     * @param size of RAM in bytes, a multiple of 1 MiB, 64 MiB or more
     * @param empty whether all RAM but the window is zero
     * @param window bytes that the guest writes to
     * @param rate pages/s that the guest dirties
     * @param limit downtime-limit in ms
     * @param options more of them: names of capabilities, and parameters as name=value
     */
    public DowntimeBench(
            Path memory,
            List<String> by,
            long size,
            boolean empty,
            long window,
            long rate,
            long limit,
            List<String> options) {
        this.ram = memory.resolve("ram");
        this.arrived = memory.resolve("arrived");
        this.by = by;
        this.size = size;
        this.empty = empty;
        this.window = window;
        this.rate = rate;
        this.limit = limit;
        this.options = options;
    }

    /** Makes the RAM. */
    public void prepare() throws IOException {
        if (!empty) {
            BenchMachine.fill(ram, size, this::check);
            return;
        }
        try (var machine = new BenchMachine(ram, size)) {
            MemorySegment memory = machine.memory();
            for (long at = FROM; at < FROM + window; at += Long.BYTES)
                memory.set(ValueLayout.JAVA_LONG, at, at * 0x9e3779b97f4a7c15L);
        }
    }

    /** One round: two new processes. */
    public void round() throws IOException, InterruptedException {
        check();
        List<String> settings = new ArrayList<>(List.of("return-path", "downtime-limit=" + limit));
        settings.addAll(options);
        try (ChildJvm target = side("receive", "tcp:127.0.0.1:0", arrived, settings);
                ChildJvm source = side("send", target.answer(), ram, settings)) {
            String[] told = source.answer().split(" ");
            double guest = Long.parseLong(target.answer()) / 1000.0;
            gaps.add(
                    new Gap(
                            guest,
                            Long.parseLong(told[0]),
                            Long.parseLong(told[1]),
                            Long.parseLong(told[2])));
        } finally {
            Files.deleteIfExists(arrived);
        }
    }

    private void check() throws MigrationException {
        if (cancelled) throw MigrationException.user("interrupted");
    }

    private ChildJvm side(String role, String uri, Path file, List<String> settings)
            throws IOException {
        List<String> words =
                new ArrayList<>(
                        List.of(
                                role,
                                uri,
                                file.toString(),
                                "" + size,
                                "" + FROM,
                                "" + (FROM + window),
                                "" + rate));
        words.addAll(settings);
        return new ChildJvm(by, DowntimeSide.class, words.toArray(String[]::new));
    }

    /** Ends what runs: without its peer a migration fails. Any thread. */
    public void cancel() {
        cancelled = true;
        ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
    }

    /**
     * What was measured.
     *
     * @return one for each round
     */
    public List<Gap> gaps() {
        return gaps;
    }

    /** Removes its files. */
    @Override
    public void close() throws IOException {
        for (Path file : List.of(ram, arrived)) Files.deleteIfExists(file);
    }
}
