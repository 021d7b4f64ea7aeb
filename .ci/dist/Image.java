import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import java.util.zip.ZipFile;

/**
 * Makes the part of an archive that needs no Java on its machine: a runtime with the command and
 * all that it needs as modules, zstd's library for this machine, and, within, the classes that the
 * command takes as a JVM has them in memory.
 *
 * <p>{@code java .ci/dist/Image.java OUT JARS}, where JARS is a path.
 */
final class Image {
    private static final String COMMAND = "org.vmferry.cli";

    /** Nobody requires these by name: plug-ins, the log, and encodings of terminals. */
    private static final List<String> MORE =
            List.of(
                    "org.vmferry.mappedram",
                    "org.vmferry.multifd",
                    "org.slf4j.simple",
                    "jdk.charsets");

    private static final String NATIVE =
            "--enable-native-access=org.vmferry.engine,com.github.luben.zstd_jni";

    private final Path out;
    private final Path runtime;

    private Image(Path out) {
        this.out = out;
        runtime = out.resolve("runtime");
    }

    public static void main(String[] arguments) throws Exception {
        Image image = new Image(Path.of(arguments[0]));
        remove(image.out);
        image.link(arguments[1]);
        // Which JDK it is, and where its source is: its licence wants that said.
        Files.copy(
                Path.of(System.getProperty("java.home"), "release"),
                image.runtime.resolve("legal/JDK"));
        image.unpackZstd(arguments[1]);
        image.rehearse();
    }

    private void link(String jars) {
        ToolProvider jlink = ToolProvider.findFirst("jlink").orElseThrow();
        int status =
                jlink.run(
                        System.out,
                        System.err,
                        "--module-path",
                        jars,
                        "--add-modules",
                        COMMAND + "," + String.join(",", MORE),
                        "--add-options=" + NATIVE,
                        "--compress",
                        "zip-6",
                        // The machine's own list, as a rule, and not ours to hand on.
                        "--exclude-files",
                        "/java.base/lib/security/cacerts",
                        "--no-man-pages",
                        "--no-header-files",
                        "--output",
                        runtime.toString());
        if (status != 0) throw new IllegalStateException("jlink ended with " + status);
    }

    /** Else each command that packs would unpack it, into a folder for temporary files. */
    private void unpackZstd(String jars) throws IOException {
        Path jar =
                Stream.of(jars.split(java.io.File.pathSeparator))
                        .map(Path::of)
                        .filter(path -> path.getFileName().toString().startsWith("zstd-jni-"))
                        .findAny()
                        .orElseThrow();
        String place =
                System.getProperty("os.name").toLowerCase() + "/" + System.getProperty("os.arch");
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            var library =
                    zip.stream()
                            .filter(entry -> entry.getName().startsWith(place + "/libzstd-jni-"))
                            .findAny()
                            .orElseThrow(() -> new IOException(jar + " has none for " + place));
            Path to =
                    Files.createDirectories(out.resolve("lib"))
                            .resolve(Path.of(library.getName()).getFileName().toString());
            Files.write(to, zip.getInputStream(library).readAllBytes());
        }
    }

    /** The runtime's own archive of classes has the JDK's alone: with the command's in it, too. */
    private void rehearse() throws Exception {
        Path list = out.resolve("classes");
        Path guests = Files.createDirectory(out.resolve("guests"));
        String command = COMMAND + "/" + COMMAND;
        String rehearsal = command + ".Rehearsal";
        java("-Xshare:off", "-XX:DumpLoadedClassList=" + list, "-m", rehearsal, guests.toString());
        // With -m, or the command's modules would not be there to be looked into; and all as the
        // launcher has it, or the JVM would not take the modules as they lie in the archive.
        java(
                "-Xshare:dump",
                "-XX:SharedClassListFile=" + list,
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-m",
                command + ".Main");
        Files.delete(list);
        remove(guests);
    }

    private void java(String... words) throws Exception {
        List<String> line = new ArrayList<>(List.of(runtime.resolve("bin/java").toString()));
        line.addAll(List.of(words));
        Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) throw new IllegalStateException(line + ": " + said);
    }

    private static void remove(Path folder) throws IOException {
        if (!Files.exists(folder)) return;
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(java.util.Comparator.reverseOrder()).toList())
                Files.delete(each);
        }
    }
}
