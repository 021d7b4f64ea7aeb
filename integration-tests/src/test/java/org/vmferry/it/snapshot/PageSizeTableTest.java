package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.RequiresQemu;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Makes the engine's table of page sizes from what every QEMU here tells of each of its machines.
 */
@Tag("stress")
@Tag("STR-16")
@RequiresQemu(old = true)
@Timeout(3600)
class PageSizeTableTest {
    private static final Path TABLE =
            Path.of("engine/src/main/resources/org/vmferry/engine/stream/page-sizes.txt");
    private static final Path MADE = Path.of("target", "page-sizes.txt");
    private static final String HEAD =
            """
            # Bytes in a page of the target, where the stream may not say: by machine, as each QEMU told it.
            # Made by PageSizeTableTest (profile stress); a name under two sizes stands there with its RAM's. "*" stands for any version.
            """;
    private static final Pattern LINE = Pattern.compile("(\\S+)\\s+(.*)");
    private static final Pattern ALIAS = Pattern.compile("\\(alias of (\\S+?)\\)");
    private static final Pattern SIZE = Pattern.compile("\"page-size\": (\\d+)");
    private static final Pattern BLOCK =
            Pattern.compile("(\\S+) +\\d+ [KMG]iB +0x[0-9a-f]+ +0x([0-9a-f]+)");
    private static final Pattern STATUS = Pattern.compile("\"status\": \"(failed|completed)\"");
    private static final Pattern VERSION = Pattern.compile("-\\d+(\\.\\d+)+$");
    private static final int AT_ONCE = 2;

    /** What a QEMU told of a machine: bytes, 0 if it can't be saved; and its largest RAM block. */
    private record Told(int size, String ram) {
        static final Told NOTHING = new Told(0, "");
    }

    @Test
    void theTableIsWhatEachQemuTells() throws Exception {
        Map<String, Set<Told>> sizes = new TreeMap<>();
        List<String> silent = new ArrayList<>();
        for (QemuBinary qemu : List.of(QemuBinary.current().get(), QemuBinary.old().get())) {
            for (Path each : targets(qemu.path().getParent())) ask(each, sizes, silent);
        }
        String made = HEAD + table(sizes);
        Files.createDirectories(MADE.getParent());
        Files.writeString(MADE, made);
        String table = Files.readString(Path.of(System.getProperty("vmferry.root")).resolve(TABLE));
        assertThat(made.lines())
                .as(
                        "the table, of which %s was made anew; silent were %s",
                        MADE.toAbsolutePath(), silent)
                .containsExactlyElementsOf(table.lines().toList());
    }

    private static List<Path> targets(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(p -> p.getFileName().toString().startsWith("qemu-system-"))
                    .filter(p -> !Files.isSymbolicLink(p))
                    .sorted()
                    .toList();
        }
    }

    private static void ask(Path qemu, Map<String, Set<Told>> sizes, List<String> silent)
            throws Exception {
        Map<String, Future<Told>> answers = new TreeMap<>();
        Map<String, String> aliases = new TreeMap<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE)) {
            for (String line : help(qemu)) {
                Matcher parts = LINE.matcher(line);
                if (!parts.matches() || line.endsWith(":")) continue;
                Matcher alias = ALIAS.matcher(parts.group(2));
                String machine = parts.group(1);
                if (alias.find()) {
                    aliases.put(machine, alias.group(1));
                    continue;
                }
                Callable<Told> asking = () -> told(qemu, machine);
                answers.put(machine, threads.submit(asking));
            }
        }
        for (var each : answers.entrySet()) {
            Told told = each.getValue().get();
            if (told.size == 0) silent.add(qemu.getFileName() + " " + each.getKey());
            else sizes.computeIfAbsent(each.getKey(), name -> new HashSet<>()).add(told);
        }
        // What a host of ours may call itself.
        aliases.forEach(
                (alias, machine) -> {
                    Set<Told> of = sizes.get(machine);
                    if (of != null) sizes.computeIfAbsent(alias, n -> new HashSet<>()).addAll(of);
                });
    }

    private static List<String> help(Path qemu) throws IOException {
        Process process =
                new ProcessBuilder(qemu.toString(), "-machine", "help")
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            return lines.lines().toList();
        }
    }

    /** What query-migrate says of a save that has begun, and info ramblock. */
    private static Told told(Path qemu, String machine) throws Exception {
        Process process =
                new ProcessBuilder(
                                qemu.toString(),
                                "-M",
                                machine,
                                "-S",
                                "-nodefaults",
                                "-display",
                                "none",
                                "-accel",
                                "tcg",
                                "-qmp",
                                "stdio")
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try (Writer commands = process.outputWriter(StandardCharsets.UTF_8);
                BufferedReader answers = process.inputReader(StandardCharsets.UTF_8)) {
            String ram = "";
            commands.write("{'execute': 'qmp_capabilities'}\n");
            commands.write(
                    "{'execute': 'human-monitor-command', 'arguments': {'command-line':"
                            + " 'info ramblock'}}\n");
            commands.write(
                    "{'execute': 'migrate', 'arguments': {'uri': 'exec:cat > /dev/null'}}\n");
            commands.write("{'execute': 'query-migrate'}\n");
            commands.flush();
            for (String line = answers.readLine(); line != null; line = answers.readLine()) {
                Matcher size = SIZE.matcher(line);
                if (size.find()) return new Told(Integer.parseInt(size.group(1)), ram);
                if (line.contains("Block Name")) ram = largest(line);
                if (STATUS.matcher(line).find() || line.startsWith("{\"error\""))
                    return Told.NOTHING;
                if (!line.contains("\"status\"")) continue;
                commands.write("{'execute': 'query-migrate'}\n");
                commands.flush();
            }
            return Told.NOTHING;
        } catch (IOException e) {
            return Told.NOTHING; // it has ended: it wants what we don't have
        } finally {
            process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
        }
    }

    private static String largest(String told) {
        Matcher blocks = BLOCK.matcher(told.replace("\\r\\n", "\n"));
        return blocks.results()
                .max(Comparator.comparingLong(block -> Long.parseLong(block.group(2), 16)))
                .map(block -> block.group(1))
                .orElse("");
    }

    /**
     * By size and name; the versions of a machine in one line where they agree. A name under two
     * sizes stands there with the RAM's names that tell them apart.
     */
    private static String table(Map<String, Set<Told>> machines) {
        Map<String, Set<Integer>> families = new TreeMap<>();
        machines.forEach(
                (name, of) ->
                        families.computeIfAbsent(family(name), n -> new TreeSet<>())
                                .addAll(sizes(of)));
        Map<Integer, Set<String>> table = new TreeMap<>();
        machines.forEach(
                (name, of) -> {
                    if (sizes(of).size() > 1) {
                        apart(of).forEach((ram, size) -> add(table, size, name + " " + ram));
                        return;
                    }
                    boolean agreed = families.get(family(name)).size() == 1;
                    add(table, sizes(of).iterator().next(), agreed ? family(name) : name);
                });
        StringBuilder text = new StringBuilder();
        table.forEach((size, names) -> names.forEach(n -> text.append(size + " " + n + "\n")));
        return text.toString();
    }

    private static void add(Map<Integer, Set<String>> table, int size, String name) {
        table.computeIfAbsent(size, n -> new TreeSet<>()).add(name);
    }

    private static Set<Integer> sizes(Set<Told> of) {
        return of.stream().map(Told::size).collect(Collectors.toSet());
    }

    /** The names of RAM that stand for one size. */
    private static Map<String, Integer> apart(Set<Told> of) {
        Map<String, Set<Integer>> sizes = new TreeMap<>();
        for (Told each : of) {
            if (each.ram.isEmpty()) continue;
            sizes.computeIfAbsent(each.ram, n -> new TreeSet<>()).add(each.size);
        }
        Map<String, Integer> apart = new TreeMap<>();
        sizes.forEach(
                (ram, size) -> {
                    if (size.size() == 1) apart.put(ram, size.iterator().next());
                });
        return apart;
    }

    private static String family(String name) {
        return VERSION.matcher(name).replaceFirst("-*");
    }
}
