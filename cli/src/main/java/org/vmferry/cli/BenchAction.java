package org.vmferry.cli;

import org.vmferry.cli.bench.Bench;
import org.vmferry.cli.bench.Report;
import org.vmferry.engine.json.Json;
import org.vmferry.spi.transport.OutgoingFile;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What all benches have: rounds, where their files lie, and how what they find is told. */
abstract class BenchAction extends Action {
    static final long MIB = 1 << 20;

    /** How it is told, not what is measured. */
    private static final Set<String> NOT_MEASURED =
            Set.of("--json", "--output", "--quiet", "--debug", "--help", "--version");

    private static final Set<String> OF_ALL = Set.of("--plugins", "--plugins-of-anyone");

    @Spec private CommandSpec spec;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "How often each is measured (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--memory-dir",
            paramLabel = "DIR",
            description = "Where RAM's files lie (default: /dev/shm, or here).")
    private Path memory;

    @Option(names = "--json", description = "As one JSON object, for programs.")
    private boolean json;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Keep that object in a file, besides what is shown.")
    private Path output;

    private final List<Path> folders = new ArrayList<>();

    /** Whether what was typed makes sense. */
    void check() throws Exception {}

    /** The binary that is measured beside vmferry; null if there is none. */
    String qemu() throws IOException {
        return null;
    }

    /**
     * What is to be measured.
     *
     * @param ram a folder for RAM's files
     * @param qemu as above
     */
    abstract Bench bench(Path ram, String qemu) throws Exception;

    @Override
    final void run() throws Exception {
        if (rounds < 1) throw misuse("--rounds takes 1 or more");
        check();
        Path shm = Path.of("/dev/shm");
        if (memory == null) memory = Files.isWritable(shm) ? shm : Path.of(".");
        String qemu = qemu();
        try (OutgoingFile place = output == null ? null : place(output)) {
            Report report = new Report(spec.name(), options(), qemu);
            measure(report, qemu);
            String text = Json.writePretty(report.tree());
            if (place != null) keep(place, text);
            if (json) out().println(text);
            else report.lines().forEach(out()::println);
        }
    }

    private void measure(Report report, String qemu) throws Exception {
        try (Bench bench = bench(folderIn(memory), qemu)) {
            interruption.cancelBy(bench::cancel);
            bench.prepare();
            for (int round = 0; round < rounds; round++) {
                interruption.check();
                remark("round %d of %d".formatted(round + 1, rounds));
                bench.round(round % 2 == 0);
            }
            report.end(bench);
        } catch (IOException e) {
            interruption.check(); // what was cancelled fails in any way
            throw e;
        } finally {
            for (Path folder : folders) remove(folder);
        }
    }

    /** With what a process that was killed had begun there. */
    private static void remove(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) Files.delete(file);
        }
        Files.delete(folder);
    }

    /** A new folder, for files, which goes when the bench is closed. */
    final Path folderIn(Path parent) throws IOException {
        Path folder = Files.createTempDirectory(parent, ".vmferry-bench-").toAbsolutePath();
        folders.add(folder);
        return folder;
    }

    private void keep(OutgoingFile place, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((text + "\n").getBytes(StandardCharsets.UTF_8));
        var file = place.file(false);
        file.resize(bytes.remaining());
        file.write(bytes, 0);
        interruption.cancelBy(place::release);
        place.complete();
    }

    /** Says whether there are so many bytes to be RAM. */
    final void checkSize(String option, long size, long least) {
        if (size < least || size % MIB != 0)
            throw misuse(
                    "%s takes %s or more, a multiple of 1M".formatted(option, (least >> 20) + "M"));
    }

    /** All that was set or is so by default. */
    private Map<String, Object> options() {
        Map<String, Object> options = new LinkedHashMap<>();
        for (OptionSpec option : spec.options()) {
            String name = option.longestName();
            if (NOT_MEASURED.contains(name) || OF_ALL.contains(name)) continue;
            options.put(name.substring(2), plain(option.getValue()));
        }
        return options;
    }

    private static Object plain(Object value) {
        return value instanceof Path path ? path.toString() : value;
    }
}
