package org.vmferry.engine.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import org.vmferry.spi.option.Provider;
import org.vmferry.spi.transport.TransportProvider;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/** Makes a plug-in's jar from source, as its author would, and damages it where asked. */
final class JarMaker {
    private final Map<String, String> sources = new LinkedHashMap<>();
    private final Map<String, List<String>> services = new LinkedHashMap<>();
    private final List<Path> classPath = new ArrayList<>();
    private final List<String> left = new ArrayList<>();
    private String tooNew = "";

    JarMaker() {
        classPath.add(place(Provider.class));
        classPath.add(place(org.slf4j.LoggerFactory.class));
        classPath.add(place(jakarta.inject.Inject.class));
    }

    /** The engine, and what it needs to run. */
    static List<Path> house() {
        return Stream.of(
                        Provider.class,
                        Plugins.class,
                        org.slf4j.LoggerFactory.class,
                        jakarta.inject.Inject.class,
                        com.fasterxml.jackson.core.JsonFactory.class)
                .map(JarMaker::place)
                .toList();
    }

    /** Where a class was loaded from. */
    static Path place(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    /** What a JVM of its own says, which must end well. */
    static List<String> java(List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(arguments);
        command.addFirst("-Dslf4j.internal.verbosity=ERROR"); // says no word of its own
        command.addFirst(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            List<String> lines = process.inputReader().lines().toList();
            assertThat(process.waitFor()).as(String.join("\n", lines)).isZero();
            return lines;
        } finally {
            process.destroyForcibly();
        }
    }

    /** A transport whose id is a Java expression. */
    JarMaker transport(String name, String id) {
        return transport(name, id, "");
    }

    /** The same, with more members. */
    JarMaker transport(String name, String id, String members) {
        return source(name, transportSource(name, "Object", id, members))
                .service(TransportProvider.class, name);
    }

    static String transportSource(String name, String superclass, String id, String members) {
        int dot = name.lastIndexOf('.');
        return """
        package %s;
        import org.vmferry.spi.*;
        import org.vmferry.spi.option.*;
        import org.vmferry.spi.transport.*;
        public class %s extends %s implements ChannelTransport {
            public String id() { return %s; }
            public java.util.Set<Feature> features() { return java.util.Set.of(); }
            public Opener opener(Address a, Options o) { return null; }
            public Acceptor acceptor(Address a, Options o) { return null; }
            %s
        }
        """
                .formatted(
                        name.substring(0, dot), name.substring(dot + 1), superclass, id, members);
    }

    JarMaker source(String name, String text) {
        sources.put(name, text);
        return this;
    }

    JarMaker service(Class<?> service, String... lines) {
        services.computeIfAbsent(service.getName(), key -> new ArrayList<>())
                .addAll(List.of(lines));
        return this;
    }

    JarMaker needs(Path jar) {
        classPath.add(jar);
        return this;
    }

    /** Its class is not packed. */
    JarMaker without(String name) {
        left.add(name.replace('.', '/') + ".class");
        return this;
    }

    /** Its class file claims to be of a Java that nobody has yet. */
    JarMaker tooNew(String name) {
        tooNew = name.replace('.', '/') + ".class";
        return this;
    }

    Path jar(Path jar) throws IOException {
        Files.createDirectories(jar.getParent());
        Path classes = Files.createTempDirectory(jar.getParent(), ".classes");
        compile(classes);
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out);
                Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = classes.relativize(file).toString();
                if (left.contains(name)) continue;
                byte[] bytes = Files.readAllBytes(file);
                if (name.equals(tooNew)) bytes[7] = 120; // the class file's major version
                put(entries, name, bytes);
            }
            for (Map.Entry<String, List<String>> service : services.entrySet()) {
                String text = String.join("\n", service.getValue());
                put(entries, "META-INF/services/" + service.getKey(), text.getBytes(UTF_8));
            }
        }
        return jar;
    }

    private static void put(JarOutputStream jar, String name, byte[] bytes) throws IOException {
        jar.putNextEntry(new JarEntry(name));
        jar.write(bytes);
        jar.closeEntry();
    }

    private void compile(Path classes) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("-d", classes.toString(), "-proc:none"));
        arguments.add(sources.containsKey("module-info") ? "--module-path" : "-classpath");
        arguments.add(classPath.stream().map(Path::toString).collect(joining(File.pathSeparator)));
        Path texts = Files.createDirectory(classes.resolveSibling(classes.getFileName() + ".src"));
        for (Map.Entry<String, String> source : sources.entrySet()) {
            Path file = texts.resolve(source.getKey().replace('.', '/') + ".java");
            Files.createDirectories(file.getParent());
            arguments.add(Files.writeString(file, source.getValue()).toString());
        }
        if (sources.isEmpty()) return;
        StringWriter messages = new StringWriter();
        PrintWriter out = new PrintWriter(messages);
        int failed = ToolProvider.findFirst("javac").orElseThrow().run(out, out, args(arguments));
        if (failed != 0) throw new AssertionError(messages.toString());
    }

    private static String[] args(List<String> arguments) {
        return arguments.toArray(String[]::new);
    }
}
