package org.vmferry.it.thirdparty;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.it.support.Tools;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The hosts in examples/, each built and run in an empty folder by Maven, which finds of vmferry
 * what this build has staged and nothing else.
 */
class ExamplesTest {
    private static final Path EXAMPLES = ThirdParty.ROOT.resolve("examples");
    private static final int LONGEST = 300;

    @TempDir Path directory;

    /** What Maven says to {@code verify}. */
    private String verify(String name) throws Exception {
        Path host = directory.resolve(name);
        for (Path file : files(EXAMPLES.resolve(name))) {
            Path copy = host.resolve(EXAMPLES.resolve(name).relativize(file));
            Files.createDirectories(copy.getParent());
            Files.copy(file, copy);
        }
        Path repository = MavenRepository.withoutVmferry(directory.resolve("repository"));
        ProcessBuilder maven =
                new ProcessBuilder(
                                Path.of(System.getProperty("vmferry.maven"), "bin/mvn").toString(),
                                "-B",
                                "-ntp",
                                "-Dstyle.color=never",
                                "-Dmaven.repo.local=" + repository,
                                "-Dvmferry.repository=file:"
                                        + System.getProperty("vmferry.staging"),
                                "verify")
                        .directory(host.toFile());
        maven.environment().put("JAVA_HOME", System.getProperty("java.home"));
        // Of Maven's, the tests' and the three processes' JVMs: a fifth less of a processor.
        maven.environment().put("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
        return ThirdParty.run(maven);
    }

    /** Without what a build by hand has left. */
    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile)
                    .filter(file -> !folder.relativize(file).startsWith("target"))
                    .toList();
        }
    }

    private static void holds(String said, int tests) {
        assertThat(said)
                .contains("Tests run: %d, Failures: 0, Errors: 0, Skipped: 0".formatted(tests))
                .contains("it is what its twin is")
                .contains("BUILD SUCCESS");
        long saved = counted(said, "saved at");
        long moved = counted(said, "moved at");
        assertThat(saved).isPositive();
        assertThat(moved).isGreaterThan(saved);
        assertThat(counted(said, "ended at")).isGreaterThan(moved);
    }

    private static long counted(String said, String when) {
        var number = Pattern.compile(when + " (\\d+)").matcher(said);
        assertThat(number.find()).as("%s: %s", when, said).isTrue();
        return Long.parseLong(number.group(1));
    }

    @Test
    void unicorn() throws Exception {
        Tools.require(isThere("libunicorn.so.2"), "no libunicorn; .ci/install-unicorn installs it");
        holds(verify("unicorn"), 17);
    }

    @SuppressWarnings("restricted") // nothing of it is called
    private static boolean isThere(String library) {
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup.libraryLookup(library, arena);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    @Test
    void chicory() throws Exception {
        holds(verify("chicory"), 17);
    }

    /** Without what is there in any Java. */
    @Test
    void theyAreShort() throws Exception {
        for (String name : List.of("unicorn", "chicory")) {
            List<String> lines = new ArrayList<>();
            for (Path file : files(EXAMPLES.resolve(name)))
                if (file.toString().endsWith(".java")) lines.addAll(Files.readAllLines(file));
            lines.removeIf(line -> line.isBlank() || line.matches("(package|import) .*"));
            assertThat(lines).as(name).hasSizeBetween(1, LONGEST);
        }
    }
}
