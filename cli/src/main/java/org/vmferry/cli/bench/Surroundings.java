package org.vmferry.cli.bench;

import org.vmferry.engine.Engine;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where and with what something is measured: without that a figure says nothing. What a system does
 * not tell is null.
 *
 * @param cpu the processors' model
 * @param cores that this process may use
 * @param memory of the machine, in bytes
 * @param kernel its name and version
 * @param hugePages when private memory has them: always, madvise, never
 * @param vmferry its version
 * @param jdk its version
 * @param qemu its version
 */
record Surroundings(
        String cpu,
        int cores,
        Long memory,
        String kernel,
        String hugePages,
        String vmferry,
        String jdk,
        String qemu) {
    private static final Pattern CHOSEN = Pattern.compile("\\[([^]]*+)]");
    private static final Pattern QEMU = Pattern.compile("version (\\S++)");

    /** This machine's; a QEMU's version is asked of its binary, which may be null. */
    static Surroundings look(String qemu) throws IOException, InterruptedException {
        return new Surroundings(
                field("/proc/cpuinfo", "model name").orElse(System.getProperty("os.arch")),
                Runtime.getRuntime().availableProcessors(),
                field("/proc/meminfo", "MemTotal")
                        .map(size -> Long.parseLong(size.replace(" kB", "")) << 10)
                        .orElse(null),
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                lines("/sys/kernel/mm/transparent_hugepage/enabled").stream()
                        .map(CHOSEN::matcher)
                        .filter(Matcher::find)
                        .map(found -> found.group(1))
                        .findFirst()
                        .orElse(null),
                Engine.version(),
                System.getProperty("java.vendor.version", Runtime.version().toString()),
                qemu == null ? null : version(qemu));
    }

    /** How many processes want a processor, the mean of the last minute; null if nobody knows. */
    static Double load() {
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        return load < 0 ? null : load;
    }

    private static String version(String qemu) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(qemu, "--version").redirectErrorStream(true).start();
        String said =
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (process.waitFor() != 0) throw new IOException(qemu + " --version: " + said);
        Matcher version = QEMU.matcher(said);
        return version.find() ? version.group(1) : said.lines().findFirst().orElse(null);
    }

    private static Optional<String> field(String file, String name) {
        return lines(file).stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst();
    }

    private static List<String> lines(String file) {
        try {
            return Files.readAllLines(Path.of(file));
        } catch (IOException e) {
            return List.of(); // no Linux
        }
    }

    Map<String, Object> machine() {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("cpu", cpu);
        tree.put("cores", cores);
        tree.put("memory", memory);
        tree.put("kernel", kernel);
        tree.put("huge-pages", hugePages);
        return tree;
    }

    Map<String, Object> versions() {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("vmferry", vmferry);
        tree.put("jdk", jdk);
        tree.put("qemu", qemu);
        return tree;
    }

    /** On a line. */
    String line() {
        String gib =
                memory == null
                        ? ""
                        : String.format(Locale.ROOT, ", %.0f GiB", memory / (double) (1 << 30));
        return cpu
                + ", "
                + cores
                + " cores"
                + gib
                + ", "
                + kernel
                + (hugePages == null ? "" : ", huge pages " + hugePages)
                + "; vmferry "
                + vmferry
                + ", JDK "
                + jdk
                + (qemu == null ? "" : ", QEMU " + qemu);
    }
}
