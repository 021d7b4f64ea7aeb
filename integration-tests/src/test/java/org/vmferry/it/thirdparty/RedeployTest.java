package org.vmferry.it.thirdparty;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/** A server, in which each application has a class loader of its own with its own vmferry. */
class RedeployTest {
    @TempDir Path directory;
    private URL[] application;

    @BeforeEach
    void make() throws Exception {
        List<URL> urls = new ArrayList<>();
        for (Path jar : Applications.jars()) urls.add(jar.toUri().toURL());
        urls.add(Applications.host(directory).toUri().toURL());
        application = urls.toArray(URL[]::new);
    }

    private URLClassLoader deploy(String name) {
        return new URLClassLoader(name, application, ClassLoader.getPlatformClassLoader());
    }

    /**
     * No thread, ThreadLocal, hook or native library keeps it. What the JDK remembers of it in soft
     * references, as of the types that a record has, is forgotten as soon as it is looked for.
     */
    @Test
    void nothingIsLeftOfAStoppedApplication() throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.add("-XX:SoftRefLRUPolicyMSPerMB=0");
        command.add("--enable-native-access=ALL-UNNAMED");
        Path tests =
                Path.of(Server.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        command.addAll(List.of("-cp", tests.toString(), Server.class.getName()));
        command.add(directory.toString());
        for (URL url : application) command.add(url.toString());
        assertThat(ThirdParty.run(new ProcessBuilder(command)).lines())
                .filteredOn(line -> !line.startsWith("SLF4J"))
                .containsExactly(
                        "packed restored whole and RUNNING, arrived whole and RUNNING",
                        "1 is gone",
                        "packed restored whole and RUNNING, arrived whole and RUNNING",
                        "2 is gone");
    }

    /** The server alone, whose class path has nothing of vmferry. */
    static final class Server {
        private Server() {}

        public static void main(String[] arguments) throws Exception {
            List<URL> urls = new ArrayList<>();
            for (String url : List.of(arguments).subList(1, arguments.length))
                urls.add(URI.create(url).toURL());
            // It outlives what it ran, as a server's threads do.
            try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
                for (int i = 1; i <= 2; i++) {
                    ReferenceQueue<ClassLoader> gone = new ReferenceQueue<>();
                    WeakReference<ClassLoader> stopped =
                            thread.submit(() -> ran(urls, Path.of(arguments[0]), gone)).get();
                    for (int wait = 0; stopped.get() != null && wait < 100; wait++) {
                        System.gc();
                        gone.remove(20);
                    }
                    System.out.println(i + (stopped.get() == null ? " is gone" : " is there"));
                }
            }
        }

        private static WeakReference<ClassLoader> ran(
                List<URL> urls, Path folder, ReferenceQueue<ClassLoader> gone) throws Exception {
            Thread thread = Thread.currentThread();
            ClassLoader before = thread.getContextClassLoader();
            ClassLoader above = ClassLoader.getPlatformClassLoader();
            try (var loader = new URLClassLoader(urls.toArray(URL[]::new), above)) {
                thread.setContextClassLoader(loader);
                Class<?> host = loader.loadClass(Applications.HOST);
                System.out.println(Applications.within(host, List.of(), folder));
                return new WeakReference<>(loader, gone);
            } finally {
                thread.setContextClassLoader(before);
            }
        }
    }

    /** Each is its own, as if it were in another process; and what one sends another takes. */
    @Test
    void twoEnginesLiveSideBySide() throws Exception {
        try (URLClassLoader one = deploy("one");
                URLClassLoader other = deploy("other");
                ExecutorService server = Executors.newFixedThreadPool(2)) {
            Class<?> here = one.loadClass(Applications.HOST);
            Class<?> there = other.loadClass(Applications.HOST);
            assertThat(here).isNotSameAs(there);
            Object sender = engine(here);
            Object receiver = engine(there);
            assertThat(sender.getClass()).isNotSameAs(receiver.getClass());
            var address = new CompletableFuture<String>();
            Consumer<String> listening = address::complete;
            Method arrive =
                    there.getMethod("arrive", receiver.getClass(), String.class, Consumer.class);
            Future<Object> arrived =
                    server.submit(() -> arrive.invoke(null, receiver, "zstd", listening));
            here.getMethod("leave", sender.getClass(), String.class, String.class)
                    .invoke(null, sender, "zstd", address.get());
            assertThat(arrived.get()).isEqualTo("arrived whole and RUNNING");
        }
    }

    private static Object engine(Class<?> host) throws Exception {
        return host.getMethod("engine", List.class).invoke(null, List.of());
    }
}
