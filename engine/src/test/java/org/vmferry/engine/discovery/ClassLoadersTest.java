package org.vmferry.engine.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.spi.option.Provider;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What is found does not depend on who asks: a thread's class loader is what its pool gave it. */
class ClassLoadersTest {
    private static final List<String> BUILT_IN = List.of("exec", "file", "tcp", "unix");

    @TempDir Path temp;

    /** An application in a class loader of its own, as a server or a launcher of jars has it. */
    private static final String APPLICATION =
            """
            package host;
            import org.vmferry.engine.discovery.*;
            public class Application implements Runnable {
                public void run() {
                    Plugins found = Plugins.discover();
                    System.out.println(found.all(PluginKind.TRANSPORT).stream()
                        .map(Plugin::id).sorted().toList() + " " + found.rejected() + " " + found.places());
                }
            }
            """;

    private static final String LAUNCHER =
            """
            package host;
            import java.net.*;
            import java.nio.file.Path;
            import java.util.concurrent.*;
            public class Launcher {
                static Runnable application;
                public static void main(String[] jars) throws Exception {
                    ClassLoader own = loader("own", jars), other = loader("other", jars);
                    application = (Runnable) own.loadClass("host.Application")
                        .getConstructor().newInstance();
                    as("own", own);
                    as("null", null);
                    as("system", ClassLoader.getSystemClassLoader());
                    as("foreign", other);
                    as("broken", new ClassLoader(null) {
                        protected Class<?> findClass(String name) {
                            throw new IllegalStateException("no disk");
                        }
                    });
                    System.out.print("common ");
                    ForkJoinPool.commonPool().submit(application).get();
                    System.out.print("pool ");
                    try (var pool = new ForkJoinPool(1)) { pool.submit(application).get(); }
                    System.out.print("virtual ");
                    Thread.ofVirtual().start(application).join();
                }
                static void as(String name, ClassLoader context) throws Exception {
                    System.out.print(name + " ");
                    Thread thread = new Thread(application, "asker");
                    thread.setContextClassLoader(context);
                    thread.start();
                    thread.join();
                }
                static ClassLoader loader(String name, String[] jars) throws Exception {
                    URL[] urls = new URL[jars.length];
                    for (int i = 0; i < urls.length; i++) urls[i] = Path.of(jars[i]).toUri().toURL();
                    return new URLClassLoader(name, urls, ClassLoader.getPlatformClassLoader());
                }
            }
            """;

    @Test
    void whoeverAsksFindsTheEnginesOwnAndThePluginsBesideIt() throws Exception {
        List<Path> jars = new ArrayList<>(JarMaker.house());
        jars.add(new JarMaker().transport("p.Good", "\"good\"").jar(temp.resolve("good.jar")));
        jars.add(
                new JarMaker()
                        .needs(JarMaker.place(Plugins.class))
                        .source("host.Application", APPLICATION)
                        .jar(temp.resolve("application.jar")));
        Path launcher =
                new JarMaker().source("host.Launcher", LAUNCHER).jar(temp.resolve("launcher.jar"));
        List<String> command = new ArrayList<>(List.of("-cp", launcher.toString()));
        command.add("host.Launcher");
        jars.forEach(jar -> command.add(jar.toString()));
        Map<String, String> said =
                JarMaker.java(command).stream()
                        .collect(
                                Collectors.toMap(
                                        line -> line.substring(0, line.indexOf(' ')),
                                        line -> line.substring(line.indexOf(' ') + 1)));
        assertThat(said.keySet())
                .containsExactlyInAnyOrder(
                        "own", "null", "system", "foreign", "broken", "common", "pool", "virtual");
        assertThat(said.values())
                .allSatisfy(
                        line ->
                                assertThat(line)
                                        .startsWith(
                                                "[exec, file, good, tcp, unix] []"
                                                        + " [the engine's class loader 'own', "));
        String asker = "the context class loader of the thread 'asker'";
        assertThat(said.get("own")).contains(asker + ", 'own': it sees no more]");
        assertThat(said.get("null")).contains(asker + ": it has none]");
        assertThat(said.get("system")).contains(asker + ", 'app': not used, it does not see vmf");
        assertThat(said.get("foreign"))
                .contains(asker + ", 'other': not used, it has a vmferry of its own, of /");
        assertThat(said.get("broken")).contains("not used, it threw ").contains("no disk");
    }

    @Test
    void whatTheContextSeesBeyondTheEngineIsFoundAndItsCopiesAreNot() throws Exception {
        Path shared =
                new JarMaker().transport("p.Shared", "\"shared\"").jar(temp.resolve("shared.jar"));
        Path more = new JarMaker().transport("p.More", "\"more\"").jar(temp.resolve("more.jar"));
        try (URLClassLoader context = new ChildFirst("web", "p.Shared", shared, more)) {
            Plugins found = asked(context);
            assertThat(ids(found)).contains("more", "shared").containsAll(BUILT_IN);
            assertThat(found.rejected()).isEmpty();
            assertThat(found.places().getLast()).endsWith(", 'web'");
        }
        // The engine's loader has it too: two copies of one class are no two plug-ins.
        Path engine = JarMaker.place(Plugins.class);
        Path application =
                new JarMaker()
                        .needs(engine)
                        .source(
                                "host.Main",
                                """
                                package host;
                                import org.vmferry.engine.discovery.*;
                                import java.net.*;
                                import java.nio.file.Path;
                                public class Main {
                                    public static void main(String[] jar) throws Exception {
                                        URL[] urls = {Path.of(jar[0]).toUri().toURL()};
                                        Thread.currentThread().setContextClassLoader(
                                            new URLClassLoader("web", urls, Main.class.getClassLoader()) {
                                                public Class<?> loadClass(String name) throws ClassNotFoundException {
                                                    return name.startsWith("p.") ? findClass(name) : super.loadClass(name);
                                                }
                                            });
                                        Plugins found = Plugins.discover();
                                        System.out.println(found.transport("shared").getClass().getClassLoader().getName());
                                        found.rejected().forEach(r -> System.out.println(r.sentence()));
                                    }
                                }
                                """)
                        .jar(temp.resolve("main.jar"));
        String path =
                Stream.concat(JarMaker.house().stream(), Stream.of(shared, application))
                        .map(Path::toString)
                        .collect(Collectors.joining(File.pathSeparator));
        assertThat(JarMaker.java(List.of("-cp", path, "host.Main", shared.toString())))
                .containsExactly(
                        "app",
                        "transport 'shared', p.Shared of "
                                + shared
                                + " is left out: the engine's class loader 'app' has the same"
                                + " class");
    }

    /** Loads one class itself that its parent may have, too. */
    private static final class ChildFirst extends URLClassLoader {
        private final String own;

        ChildFirst(String name, String own, Path... jars) throws Exception {
            super(name, urls(jars), Provider.class.getClassLoader());
            this.own = own;
        }

        private static URL[] urls(Path... jars) throws Exception {
            URL[] urls = new URL[jars.length];
            for (int i = 0; i < jars.length; i++) urls[i] = jars[i].toUri().toURL();
            return urls;
        }

        @Override
        public Class<?> loadClass(String name) throws ClassNotFoundException {
            return name.equals(own) ? findClass(name) : super.loadClass(name);
        }
    }

    /** As of a web application that was stopped. */
    @Test
    void aContextThatThrowsTakesNothingAway() {
        ClassLoader stopped =
                new ClassLoader(getClass().getClassLoader()) {
                    @Override
                    public Enumeration<URL> getResources(String name) {
                        throw new IllegalStateException("it was stopped");
                    }
                };
        Plugins found = asked(stopped);
        assertThat(ids(found)).containsAll(BUILT_IN);
        assertThat(found.places().getLast()).contains("it threw ", "it was stopped");
    }

    private static Plugins asked(ClassLoader context) {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(context);
        try {
            return Plugins.discover();
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static List<String> ids(Plugins plugins) {
        return plugins.all(PluginKind.TRANSPORT).stream().map(Plugin::id).toList();
    }

    @Test
    void whatIsDiscoveredTwiceIsOne() {
        Plugins twice = Plugins.discover().plus(Plugins.discover(Provider.class.getClassLoader()));
        assertThat(twice.rejected()).isEmpty();
        assertThat(ids(twice)).containsExactlyInAnyOrderElementsOf(BUILT_IN);
        assertThat(twice.places()).hasSize(Plugins.discover().places().size() + 1);
    }

    @Test
    void whatIsMissingSaysWhereItWasLookedFor() {
        Plugins found = asked(null);
        assertThat(PluginsTest.failure(() -> found.transport("none-such")))
                .hasMessageContaining("exec, file, tcp, unix (looked at: the engine's class loader")
                .hasMessageContaining("; the context class loader of the thread")
                .hasMessageEndingWith(": it has none)");
    }
}
