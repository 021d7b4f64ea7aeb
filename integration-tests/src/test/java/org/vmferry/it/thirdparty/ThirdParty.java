package org.vmferry.it.thirdparty;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Makes jars of what stands in testkit/src/it, as its authors would. */
public final class ThirdParty {
    public static final Path ROOT =
            Path.of(System.getProperty("vmferry.root", "..")).toAbsolutePath();

    /** What an author compiles and tests with. */
    public static final Path KIT = ROOT.resolve("testkit/target/kit");

    public static final Path SOURCES = ROOT.resolve("testkit/src/it");

    private ThirdParty() {}

    /** The three plug-ins, each in a sub-folder of its own. */
    public static Path plugins(Path folder) throws Exception {
        for (String name : List.of("journal", "memory", "rle")) plugin(name, folder.resolve(name));
        return folder;
    }

    /** One plug-in, which sees spi and what that sees. */
    static Path plugin(String name, Path folder) throws Exception {
        return jar(name, List.of("vmferry-spi", "jakarta.inject"), folder);
    }

    /**
     * A modular jar.
     *
     * @param name of its folder in testkit/src/it
     * @param sees the beginnings of the jars' names
     */
    static Path jar(String name, List<String> sees, Path folder) throws Exception {
        Path source = SOURCES.resolve(name).resolve("src");
        Path classes = Files.createTempDirectory("vmferry-third-party-");
        Path jar = Files.createDirectories(folder).resolve(name + ".jar");
        try {
            List<String> arguments = new ArrayList<>(List.of("-Xlint:all", "-Werror"));
            arguments.addAll(List.of("-d", classes.toString(), "-p", path(jars(sees))));
            try (Stream<Path> files = Files.walk(source)) {
                files.filter(f -> f.toString().endsWith(".java"))
                        .forEach(f -> arguments.add(f.toString()));
            }
            run("javac", arguments);
            Path services = source.resolve("META-INF");
            List<String> content = new ArrayList<>(List.of("-C", classes.toString(), "."));
            if (Files.exists(services)) {
                content.addAll(List.of("-C", source.toString(), "META-INF"));
            }
            run("jar", Stream.concat(Stream.of("-cf", jar.toString()), content.stream()).toList());
        } finally {
            delete(classes);
        }
        return jar;
    }

    static List<Path> kit() throws IOException {
        try (Stream<Path> files = Files.list(KIT)) {
            return files.sorted().toList();
        }
    }

    static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.toList().reversed()) Files.delete(file);
        }
    }

    /** Jars of the tests' own class path, by the beginnings of their names. */
    static List<Path> jars(List<String> names) {
        List<Path> found = new ArrayList<>();
        for (String name : names) {
            Path jar =
                    Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                            .map(Path::of)
                            .filter(p -> p.getFileName().toString().startsWith(name))
                            .findFirst()
                            .orElseThrow(() -> new AssertionError("no jar of " + name));
            assertThat(jar).as("made by 'mvn verify'").isRegularFile();
            found.add(jar);
        }
        return found;
    }

    static String path(List<Path> places) {
        return places.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }

    /** One of the JDK's tools, in process. */
    static void run(String tool, List<String> arguments) {
        StringWriter messages = new StringWriter();
        PrintWriter out = new PrintWriter(messages);
        int exit =
                ToolProvider.findFirst(tool)
                        .orElseThrow()
                        .run(out, out, arguments.toArray(String[]::new));
        assertThat(exit).as("%s %s%n%s", tool, arguments, messages).isZero();
    }

    /** What a program says, which must end well within minutes. */
    public static String run(ProcessBuilder program) throws Exception {
        return run(program, 0);
    }

    /** The same of one that must end with another status. */
    static String run(ProcessBuilder program, int status) throws Exception {
        Path output = Files.createTempFile("vmferry-third-party-", ".txt");
        Process process = program.redirectErrorStream(true).redirectOutput(output.toFile()).start();
        try {
            boolean ended = process.waitFor(4, TimeUnit.MINUTES);
            String said = Files.readString(output);
            assertThat(ended).as("%s%n%s", program.command(), said).isTrue();
            assertThat(process.exitValue()).as("%s%n%s", program.command(), said).isEqualTo(status);
            return said;
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            Files.delete(output);
        }
    }
}
