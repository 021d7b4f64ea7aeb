package org.vmferry.it.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import org.vmferry.it.support.Tools;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * An archive that the build made, unpacked where the names have blanks and letters beyond ASCII, to
 * be run with no variable in its environment but those that are named.
 */
final class Unpacked {
    private static final Pattern ZIP = Pattern.compile("vmferry-(.*)\\.zip");

    private static final Path TARGET =
            Path.of(System.getProperty("vmferry.root", ".."))
                    .toAbsolutePath()
                    .resolve("cli/target");

    /** As the one zip that is there says. */
    static final String VERSION = version();

    /** A shell makes the names: this JVM may not know how to. */
    private static final String NAMES = "u=$(printf '\\303\\274 \\346\\227\\245')\n";

    private final Path work;

    /** How a script ended. */
    record Said(int status, String out, String err) {}

    private static String version() {
        try (Stream<Path> all = Files.list(TARGET)) {
            return all.map(file -> ZIP.matcher(file.getFileName().toString()))
                    .filter(Matcher::matches)
                    .map(name -> name.group(1))
                    .reduce((one, other) -> fail("not one zip in %s: mvn clean".formatted(TARGET)))
                    .orElse("of-no-build");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The archive of that name behind the version. */
    static Path archive(String suffix) {
        Path archive = TARGET.resolve("vmferry-" + VERSION + suffix);
        Tools.require(Files.exists(archive), "no " + archive + ": 'mvn package -Pimage' makes all");
        return archive;
    }

    /** Unpacks it; {@code vmferry} in the work folder is a link to its command. */
    Unpacked(Path archive, Path work) throws Exception {
        this.work = work;
        Said said =
                run(
                        Map.of("archive", archive.toString(), "name", "vmferry-" + VERSION),
                        """
                        set -e
                        mkdir "at $u"
                        tar -xzf "$archive" -C "at $u"
                        ln -s "at $u/$name" home
                        ln -s "at $u/$name/bin/vmferry" vmferry
                        """);
        assertThat(said).isEqualTo(new Said(0, "", ""));
    }

    Path home() {
        return work.resolve("home");
    }

    /** Runs a script in the work folder; {@code $u} has letters and a blank. */
    Said run(Map<String, String> environment, String script) throws Exception {
        List<String> line = new ArrayList<>(List.of("/usr/bin/env", "-i"));
        environment.forEach((name, value) -> line.add(name + "=" + value));
        line.addAll(List.of("/bin/sh", "-c", NAMES + script));
        Path out = Files.createTempFile(work, "said", ".out");
        Path err = Files.createTempFile(work, "said", ".err");
        Process process =
                new ProcessBuilder(line)
                        .directory(work.toFile())
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start();
        if (!process.waitFor(100, TimeUnit.SECONDS)) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        return new Said(process.waitFor(), text(out), text(err));
    }

    private static String text(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.UTF_8);
    }
}
