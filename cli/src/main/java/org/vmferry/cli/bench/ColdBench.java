package org.vmferry.cli.bench;

import org.vmferry.cli.jvm.ChildJvm;
import org.vmferry.engine.Engine;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a JVM's first migration costs. In each round a source and a destination are started anew,
 * both on this machine, and move the same RAM several times over the loopback, with multifd on two
 * channels: the first time is cold, the last one is warm. A command's process is new by nature.
 */
public final class ColdBench extends Bench {
    private static final int WARM_UP = 5;

    private final Path ram;
    private final Path arrived;
    private final Path snapshot;
    private final long size;
    private final Class<?> command;

    /**
     * A bench.
     *
     * @param memory where the files lie
     * @param size of RAM in bytes, a multiple of 1 MiB
     * @param command what is the {@code vmferry} command's main class
     */
    public ColdBench(Path memory, long size, Class<?> command) {
        super(new Results("cold", "warm"));
        this.ram = memory.resolve("ram");
        this.arrived = memory.resolve("arrived");
        this.snapshot = memory.resolve("bench.snap");
        this.size = size;
        this.command = command;
    }

    @Override
    public void prepare() throws IOException, InterruptedException {
        BenchMachine.fill(ram, size, this::check);
        try (var machine = new BenchMachine(ram, size)) {
            Engine.create()
                    .send(machine, "file:" + snapshot, Side.settings(List.of("mapped-ram")))
                    .await();
        }
    }

    @Override
    public void round(boolean any) throws IOException, InterruptedException {
        check();
        long begin = System.nanoTime();
        try (var pair = new Pair()) {
            Pair.Moved first = move(pair);
            double ms = (System.nanoTime() - begin) / 1e6;
            double cpu = Proc.cpuSeconds(pair.source.pid()) + Proc.cpuSeconds(pair.target.pid());
            results.add(true, "from the JVMs' start to both done", Results.MS, ms);
            results.add(true, "both JVMs by then", Results.CPU, Proc.hundredths(cpu));
            for (int i = 1; i < WARM_UP; i++) again(pair);
            Pair.Moved last = again(pair);
            pair.compare(0, "after " + WARM_UP + " migrations");
            pair.drop();
            note(true, first);
            note(false, last);
        } finally {
            Files.deleteIfExists(arrived);
        }
        for (String word : List.of("inspect", "verify")) command(word);
    }

    private Pair.Moved move(Pair pair) throws IOException {
        pair.make(GuestRam.of(ram, size), GuestRam.of(arrived, size));
        return pair.move(MultifdBench.options(2, "none"), false);
    }

    private Pair.Moved again(Pair pair) throws IOException {
        check();
        pair.drop();
        Files.delete(arrived);
        return move(pair);
    }

    private void note(boolean cold, Pair.Moved moved) {
        results.add(cold, "source, from call to done", Results.MS, moved.sourceMs());
        results.add(cold, "destination, from call to done", Results.MS, moved.targetMs());
        results.add(cold, "the migration in both JVMs", Results.CPU, moved.cost().cpuSeconds());
    }

    /** A command of vmferry's as a new process, by a JVM with this one's options. */
    private void command(String word) throws IOException, InterruptedException {
        check();
        List<String> options =
                ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                        .filter(option -> option.startsWith("-X"))
                        .toList();
        double cpu = Proc.cpuSecondsOfTheGone();
        long begin = System.nanoTime();
        Process process =
                new ProcessBuilder(ChildJvm.command(options, command, word, snapshot.toString()))
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        process.getOutputStream().close();
        int status = process.waitFor();
        double ms = (System.nanoTime() - begin) / 1e6;
        if (status != 0) throw new IOException("vmferry " + word + " ended with " + status);
        results.add(true, "vmferry " + word, Results.MS, ms);
        results.add(
                true,
                "vmferry " + word,
                Results.CPU,
                Proc.hundredths(Proc.cpuSecondsOfTheGone() - cpu));
    }

    @Override
    public void close() throws IOException {
        for (Path file : List.of(ram, arrived, snapshot)) Files.deleteIfExists(file);
    }
}
