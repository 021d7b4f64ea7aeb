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
            # Made by PageSizeTableTest (profile stress); a name under two sizes is left out. "*" stands for any version.
            """;
    private static final Pattern LINE = Pattern.compile("(\\S+)\\s+(.*)");
    private static final Pattern ALIAS = Pattern.compile("\\(alias of (\\S+?)\\)");
    private static final Pattern SIZE = Pattern.compile("\"page-size\": (\\d+)");
    private static final Pattern STATUS = Pattern.compile("\"status\": \"(failed|completed)\"");
    private static final Pattern VERSION = Pattern.compile("-\\d+(\\.\\d+)+$");
    private static final int AT_ONCE = 2;

    @Test
    void theTableIsWhatEachQemuTells() throws Exception {
        Map<String, Set<Integer>> sizes = new TreeMap<>();
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

    private static void ask(Path qemu, Map<String, Set<Integer>> sizes, List<String> silent)
            throws Exception {
        Map<String, Future<Integer>> answers = new TreeMap<>();
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
                Callable<Integer> asking = () -> pageSize(qemu, machine);
                answers.put(machine, threads.submit(asking));
            }
        }
        for (var each : answers.entrySet()) {
            int size = each.getValue().get();
            if (size == 0) silent.add(qemu.getFileName() + " " + each.getKey());
            else sizes.computeIfAbsent(each.getKey(), name -> new TreeSet<>()).add(size);
        }
        // What a host of ours may call itself.
        aliases.forEach(
                (alias, machine) -> {
                    Set<Integer> of = sizes.get(machine);
                    if (of != null) sizes.computeIfAbsent(alias, n -> new TreeSet<>()).addAll(of);
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

    /** What query-migrate says of a save that has begun; 0 if it can't be saved. */
    private static int pageSize(Path qemu, String machine) throws Exception {
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
            commands.write("{'execute': 'qmp_capabilities'}\n");
            commands.write(
                    "{'execute': 'migrate', 'arguments': {'uri': 'exec:cat > /dev/null'}}\n");
            commands.write("{'execute': 'query-migrate'}\n");
            commands.flush();
            for (String line = answers.readLine(); line != null; line = answers.readLine()) {
                Matcher size = SIZE.matcher(line);
                if (size.find()) return Integer.parseInt(size.group(1));
                if (STATUS.matcher(line).find() || line.startsWith("{\"error\"")) return 0;
                if (!line.contains("\"status\"")) continue;
                commands.write("{'execute': 'query-migrate'}\n");
                commands.flush();
            }
            return 0;
        } catch (IOException e) {
            return 0; // it has ended: it wants what we don't have
        } finally {
            process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
        }
    }

    /** By size and name; the versions of a machine in one line where they agree. */
    private static String table(Map<String, Set<Integer>> sizes) {
        Map<String, Set<Integer>> families = new TreeMap<>();
        sizes.forEach(
                (name, of) ->
                        families.computeIfAbsent(family(name), n -> new TreeSet<>()).addAll(of));
        Map<Integer, Set<String>> table = new TreeMap<>();
        sizes.forEach(
                (name, of) -> {
                    if (of.size() > 1) return;
                    boolean agreed = families.get(family(name)).size() == 1;
                    table.computeIfAbsent(of.iterator().next(), n -> new TreeSet<>())
                            .add(agreed ? family(name) : name);
                });
        StringBuilder text = new StringBuilder();
        table.forEach((size, names) -> names.forEach(n -> text.append(size + " " + n + "\n")));
        return text.toString();
    }

    private static String family(String name) {
        return VERSION.matcher(name).replaceFirst("-*");
    }
}
