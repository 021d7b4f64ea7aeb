package org.vmferry.engine.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A host, the engine and plug-ins as named modules, in a JVM of their own. */
class ModulePathTest {
    @TempDir Path temp;

    private static final String MAIN =
            """
            package host;
            import org.vmferry.engine.discovery.*;
            import java.nio.file.Path;
            import java.util.concurrent.ForkJoinPool;
            public class Main {
                public static void main(String[] a) throws Exception {
                    Plugins found = Plugins.discover();
                    System.out.println("named " + Plugins.class.getModule().isNamed());
                    System.out.println("good " + found.transport("good").getClass().getModule().getName());
                    Thread.currentThread().setContextClassLoader(null);
                    System.out.println("without " + Plugins.discover().all(PluginKind.TRANSPORT).size());
                    System.out.println("pool " + ForkJoinPool.commonPool().submit(
                        () -> Plugins.discover().all(PluginKind.TRANSPORT).size()).get());
                    for (RejectedPlugin r : found.rejected()) {
                        System.out.println("rejected " + r.location() + " " + r.provider().orElse("?"));
                    }
                    try (Plugins folder = Plugins.fromDirectory(Path.of(a[0]))) {
                        System.out.println("folder " + folder.transport("probe"));
                        System.out.println("others " + folder.all().size());
                    }
                }
            }
            """;

    @Test
    void providersOfModulesAreFoundAndABrokenOneIsToldWithItsPlace() throws Exception {
        Path engine = JarMaker.place(Plugins.class);
        Path good = plugin("good", "");
        Path broken = plugin("broken", "public Broken() { throw new IllegalStateException(); }");
        Path host =
                new JarMaker()
                        .needs(engine)
                        .needs(JarMaker.place(com.fasterxml.jackson.core.JsonFactory.class))
                        .source("module-info", "module host { requires org.vmferry.engine; }")
                        .source("host.Main", MAIN)
                        .jar(temp.resolve("host.jar"));
        // On the module path the platform's loader would hand out the application's classes.
        Path probes = temp.resolve("plugins");
        new JarMaker()
                .transport(
                        "p.Probe",
                        "\"probe\"",
                        """
                        public String toString() {
                            try {
                                return "sees " + Class.forName("org.vmferry.engine.discovery.Plugins");
                            } catch (ClassNotFoundException e) {
                                return "isolated";
                            }
                        }
                        """)
                .jar(probes.resolve("probe/probe.jar"));
        String path =
                Stream.concat(JarMaker.house().stream(), Stream.of(good, broken, host))
                        .map(Path::toString)
                        .collect(Collectors.joining(File.pathSeparator));
        assertThat(JarMaker.java(List.of("-p", path, "-m", "host/host.Main", probes.toString())))
                .contains(
                        "named true",
                        "good good",
                        "without 5",
                        "pool 5",
                        "rejected " + broken + " broken.Broken",
                        "folder isolated",
                        "others 1");
    }

    private Path plugin(String name, String members) throws Exception {
        String type = name + "." + Character.toUpperCase(name.charAt(0)) + name.substring(1);
        return new JarMaker()
                .source(
                        "module-info",
                        "module %s { requires org.vmferry.spi; provides org.vmferry.spi.transport.TransportProvider with %s; }"
                                .formatted(name, type))
                .source(type, JarMaker.transportSource(type, "Object", "\"" + name + "\"", members))
                .jar(temp.resolve(name + ".jar"));
    }
}
