package org.vmferry.engine.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a module provides on the module path it provides on the class path too: {@code provides} in
 * module-info and META-INF/services agree, in the sources of every module of this repository.
 */
class ServicesAgreeTest {
    private static final Pattern PROVIDES =
            Pattern.compile("\\bprovides\\s+([\\w.]+)\\s+with\\s+([\\w.,\\s]+);");

    @TestFactory
    Stream<DynamicTest> everyModule() throws IOException {
        Path root = Path.of(System.getProperty("vmferry.root", ".."));
        List<Path> modules;
        try (Stream<Path> entries = Files.list(root)) {
            modules =
                    entries.filter(m -> Files.exists(m.resolve("src/main/java/module-info.java")))
                            .sorted()
                            .toList();
        }
        assertThat(modules).isNotEmpty();
        return modules.stream()
                .map(m -> DynamicTest.dynamicTest(m.getFileName().toString(), () -> agree(m)));
    }

    private static void agree(Path module) throws IOException {
        Map<String, Set<String>> provides = provides(module);
        assertThat(services(module)).as("META-INF/services of %s", module).isEqualTo(provides);
        for (Set<String> providers : provides.values()) {
            for (String provider : providers) {
                assertThat(module.resolve("src/main/java/" + provider.replace('.', '/') + ".java"))
                        .exists();
            }
        }
    }

    private static Map<String, Set<String>> provides(Path module) throws IOException {
        String text =
                Files.readString(module.resolve("src/main/java/module-info.java"))
                        .replaceAll("(?s)/\\*.*?\\*/|//[^\n]*", "");
        Map<String, Set<String>> provides = new TreeMap<>();
        Matcher matcher = PROVIDES.matcher(text);
        while (matcher.find()) {
            provides.put(
                    matcher.group(1),
                    Stream.of(matcher.group(2).split(","))
                            .map(String::strip)
                            .collect(Collectors.toCollection(TreeSet::new)));
        }
        return provides;
    }

    private static Map<String, Set<String>> services(Path module) throws IOException {
        Map<String, Set<String>> services = new TreeMap<>();
        Path folder = module.resolve("src/main/resources/META-INF/services");
        if (!Files.isDirectory(folder)) return services;
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                services.put(
                        file.getFileName().toString(),
                        Files.readString(file)
                                .lines()
                                .map(line -> line.replaceFirst("#.*", "").strip())
                                .filter(line -> !line.isEmpty())
                                .collect(Collectors.toCollection(TreeSet::new)));
            }
        }
        return services;
    }

    @Test
    void readsBothKindsOfDeclaration(@TempDir Path module) throws IOException {
        Path java = Files.createDirectories(module.resolve("src/main/java"));
        Files.writeString(
                java.resolve("module-info.java"),
                """
                /** provides no.Doc with no.Thing; */
                module m {
                    provides a.Service with
                            b.One, // the first
                            b.Two;
                }
                """);
        Path services =
                Files.createDirectories(module.resolve("src/main/resources/META-INF/services"));
        Files.writeString(services.resolve("a.Service"), "# both\nb.Two\nb.One # last\n");
        assertThat(provides(module)).isEqualTo(Map.of("a.Service", Set.of("b.One", "b.Two")));
        assertThat(services(module)).isEqualTo(provides(module));
    }
}
