package org.vmferry.it.thirdparty;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The host of testkit/src/it/packed for containers, which give it class loaders. */
final class Applications {
    static final String HOST = "example.packed.PackedHost";

    static final List<String> HOUSE =
            List.of("vmferry-spi", "vmferry-engine", "jackson", "slf4j-api", "jakarta.inject");
    static final List<String> PLUGINS =
            List.of(
                    "vmferry-plugin-multifd",
                    "vmferry-plugin-mappedram",
                    "vmferry-plugin-compression-zstd",
                    "zstd-jni");

    private Applications() {}

    /** What it is with: the engine and its plug-ins, and what these need. */
    static List<Path> jars() {
        return ThirdParty.jars(Stream.of(HOUSE, PLUGINS).flatMap(List::stream).toList());
    }

    /** Its jar. */
    static Path host(Path folder) throws Exception {
        Path classes = Files.createDirectories(folder.resolve("classes"));
        Path source = ThirdParty.SOURCES.resolve("packed/src/main/java");
        ThirdParty.run(
                "javac",
                List.of(
                        "-d",
                        classes.toString(),
                        "-cp",
                        ThirdParty.path(ThirdParty.jars(HOUSE)),
                        source.resolve(HOST.replace('.', '/') + ".java").toString()));
        Path jar = folder.resolve("host.jar");
        ThirdParty.run("jar", List.of("-cf", jar.toString(), "-C", classes.toString(), "."));
        return jar;
    }

    /** Everything within its process, by a class of it. */
    static String within(Class<?> host, List<ClassLoader> plugins, Path folder) throws Exception {
        Object engine = host.getMethod("engine", List.class).invoke(null, plugins);
        return (String)
                host.getMethod("within", engine.getClass(), Path.class)
                        .invoke(null, engine, folder);
    }
}
