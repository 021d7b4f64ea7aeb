package org.vmferry.cli.bench;

import org.vmferry.cli.jvm.ChildJvm;

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
public final class DowntimeBench extends Bench {
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
    private final List<Double> gaps = new ArrayList<>(); // in ms, by the guest's own clock

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
        super(Results.besideQemu());
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

    @Override
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

    @Override
    public void round(boolean qemuFirst) throws IOException, InterruptedException {
        check();
        List<String> settings = new ArrayList<>(List.of("return-path", "downtime-limit=" + limit));
        settings.addAll(options);
        try (ChildJvm target = side("receive", "tcp:127.0.0.1:0", arrived, settings);
                ChildJvm source = side("send", target.answer(), ram, settings)) {
            String[] told = source.answer().split(" ");
            double guest = Long.parseLong(target.answer()) / 1000.0;
            gaps.add(guest);
            results.add(false, "the guest stood still", Results.MS, guest);
            results.add(false, "downtime, told", Results.MS, Long.parseLong(told[0]));
            results.add(false, "downtime, expected", Results.MS, Long.parseLong(told[1]));
            results.add(false, "rounds", Results.COUNT, Long.parseLong(told[2]));
        } finally {
            Files.deleteIfExists(arrived);
        }
    }

    @Override
    public List<String> conclusions() {
        List<Double> sorted = gaps.stream().sorted().toList();
        long within = sorted.stream().filter(ms -> ms <= limit).count();
        return List.of(
                "within %d ms: %d of %d; 95 %% of them within %s ms"
                        .formatted(
                                limit,
                                within,
                                gaps.size(),
                                Results.number(sorted.get((gaps.size() * 95 - 1) / 100))));
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
        return new ChildJvm(by, List.of(), DowntimeSide.class, words.toArray(String[]::new));
    }

    @Override
    public void close() throws IOException {
        for (Path file : List.of(ram, arrived)) Files.deleteIfExists(file);
    }
}
