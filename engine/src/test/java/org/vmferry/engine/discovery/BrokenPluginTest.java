package org.vmferry.engine.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Provider;
import org.vmferry.spi.transport.TransportProvider;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * What is wrong with one jar is told with its place and cause, and never keeps another out: on the
 * class path and in a folder.
 */
class BrokenPluginTest {
    @TempDir Path temp;

    private Path folder;
    private Path bad;

    @BeforeEach
    void aGoodOneOnEitherSide() throws Exception {
        folder = temp.resolve("plugins");
        bad = folder.resolve("b/bad.jar");
        new JarMaker().transport("a.Good", "\"good\"").jar(folder.resolve("a/good.jar"));
        new JarMaker().transport("c.Fine", "\"fine\"").jar(folder.resolve("c/fine.jar"));
    }

    /** Both ways must tell the same. */
    private RejectedPlugin onlyRejected() throws Exception {
        RejectedPlugin[] both = {rejectedOf(classPath()), rejectedOf(folder())};
        assertThat(both[1].sentence()).isEqualTo(both[0].sentence());
        return both[1];
    }

    private static RejectedPlugin rejectedOf(Plugins plugins) throws Exception {
        assertThat(plugins.all()).extracting(Plugin::id).contains("good", "fine");
        assertThat(plugins.transport("good").id()).isEqualTo("good");
        assertThat(plugins.rejected()).hasSize(1);
        return plugins.rejected().getFirst();
    }

    private Plugins folder() throws MigrationException {
        try (Plugins plugins = Plugins.fromDirectory(folder)) {
            return plugins;
        }
    }

    /** Nothing of the tests' own class path: only spi and the jars. */
    private Plugins classPath() throws Exception {
        try (Stream<Path> files = Files.walk(folder)) {
            List<URL> urls = new ArrayList<>();
            for (Path jar :
                    files.filter(path -> path.toString().endsWith(".jar"))
                            .sorted(Comparator.naturalOrder())
                            .toList()) {
                urls.add(jar.toUri().toURL());
            }
            ClassLoader parent = Provider.class.getClassLoader();
            try (URLClassLoader loader = new URLClassLoader(urls.toArray(URL[]::new), parent)) {
                return only(Plugins.discover(loader));
            }
        }
    }

    /** Without the engine's own. */
    private static Plugins only(Plugins plugins) {
        return new Plugins(
                plugins.all().stream()
                        .filter(p -> p.provider().getClass().getClassLoader() != classLoader())
                        .toList(),
                plugins.rejected(),
                List.of(),
                List.of());
    }

    private static ClassLoader classLoader() {
        return Plugins.class.getClassLoader();
    }

    @Test
    void classFileOfANewerJava() throws Exception {
        new JarMaker().transport("b.New", "\"new\"").tooNew("b.New").jar(bad);
        RejectedPlugin rejected = onlyRejected();
        assertThat(rejected.location()).isEqualTo(bad.toString());
        assertThat(rejected.provider()).contains("b.New");
        assertThat(rejected.cause().orElseThrow()).isInstanceOf(UnsupportedClassVersionError.class);
        assertThat(rejected.sentence()).contains("newer Java", "b.New", bad.toString());
    }

    @Test
    void anInterruptThatItLeavesIsDropped() throws Exception {
        String rude =
                "((java.util.function.Supplier<String>) () -> {"
                        + " Thread.currentThread().interrupt(); return \"rude\"; }).get()";
        new JarMaker().transport("b.Rude", rude).jar(bad);
        assertThat(folder().all()).extracting(Plugin::id).contains("rude");
        assertThat(Thread.interrupted()).isFalse();
        assertThat(classPath().all()).extracting(Plugin::id).contains("rude");
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void aClassItNeedsIsMissing() throws Exception {
        new JarMaker()
                .source("lib.Base", "package lib; public class Base {}")
                .source("b.Poor", JarMaker.transportSource("b.Poor", "lib.Base", "\"poor\"", ""))
                .service(TransportProvider.class, "b.Poor")
                .without("lib.Base")
                .jar(bad);
        RejectedPlugin rejected = onlyRejected();
        assertThat(rejected.location()).isEqualTo(bad.toString());
        assertThat(rejected.provider()).contains("b.Poor");
        assertThat(rejected.sentence()).contains("a class it needs is not there: lib.Base");
    }

    @Test
    void aClassThatOnlyItsOptionsNeedIsMissing() throws Exception {
        new JarMaker()
                .source(
                        "lib.Late",
                        "package lib; public class Late { public static <T> T get() { return null;"
                                + " } }")
                .transport(
                        "b.Poor",
                        "\"poor\"",
                        "public java.util.List<Option<?>> options() { return lib.Late.get(); }")
                .without("lib.Late")
                .jar(bad);
        RejectedPlugin rejected = onlyRejected();
        assertThat(rejected.id()).contains("poor");
        assertThat(rejected.cause().orElseThrow()).isInstanceOf(NoClassDefFoundError.class);
    }

    @Test
    void theConstructorThrows() throws Exception {
        new JarMaker()
                .transport(
                        "b.Angry",
                        "\"angry\"",
                        "public Angry() { throw new IllegalStateException(\"no licence\"); }")
                .jar(bad);
        RejectedPlugin rejected = onlyRejected();
        assertThat(rejected.provider()).contains("b.Angry");
        assertThat(rejected.location()).isEqualTo(bad.toString());
        assertThat(rejected.cause().orElseThrow())
                .hasRootCauseInstanceOf(IllegalStateException.class);
        assertThat(rejected.sentence()).contains("no licence");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "\"\"",
                "\"TCP\"",
                "\"a b\"",
                "\"-a\"",
                "String.valueOf(1 / 0)",
                "Odd.<Error>fail(new AssertionError(\"no\"))",
                "Odd.<RuntimeException>fail(new java.io.IOException(\"sneaky\"))",
                "id()" // for ever: StackOverflowError
            })
    void itsIdIsNone(String id) throws Exception {
        String fail =
                "@SuppressWarnings(\"unchecked\") static <E extends Throwable> String"
                        + " fail(Throwable t) throws E { throw (E) t; }";
        new JarMaker().transport("b.Odd", id, fail).jar(bad);
        RejectedPlugin rejected = onlyRejected();
        assertThat(rejected.provider()).contains("b.Odd");
        assertThat(rejected.id()).isEmpty();
        assertThat(rejected.location()).isEqualTo(bad.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "public java.util.Set<Feature> features() { return null; }",
                "public java.util.Set<Feature> features() { throw new RuntimeException(); }",
                "public java.util.List<Option<?>> options() { return null; }",
                "public java.util.List<Option<?>> options() { return"
                        + " java.util.Collections.singletonList(null); }",
                "public java.util.List<Option<?>> options() { return java.util.List.of(new"
                        + " Capability(\"x\"), new Capability(\"x\")); }",
                "public java.util.List<Option<?>> options() { return java.util.List.of(new"
                        + " Capability(\"X y\")); }",
                "public java.util.List<Option<?>> options() { return java.util.List.of(new"
                        + " Capability(\"x\", null, null)); }"
            })
    void itDoesNotSayWhatItCan(String member) throws Exception {
        String source = JarMaker.transportSource("b.Odd", "Object", "\"odd\"", member);
        if (member.contains("features")) {
            source =
                    source.replace(
                            "public java.util.Set<Feature> features() { return java.util.Set.of();"
                                    + " }",
                            "");
        }
        new JarMaker().source("b.Odd", source).service(TransportProvider.class, "b.Odd").jar(bad);
        RejectedPlugin rejected = onlyRejected();
        assertThat(rejected.id()).contains("odd");
        MigrationException failure = missing(folder(), "odd");
        assertThat(failure.blame()).isEqualTo(Blame.PLUGIN);
        assertThat(failure).hasMessageContaining("can't be used").hasMessageContaining("bad.jar");
    }

    @Test
    void twoOfOneIdAreBothRejectedWhateverTheOrder() throws Exception {
        new JarMaker().transport("b.One", "\"twin\"").jar(bad);
        Path other = new JarMaker().transport("d.Two", "\"twin\"").jar(folder.resolve("d/two.jar"));
        for (Plugins plugins : List.of(classPath(), folder())) {
            assertThat(plugins.all()).extracting(Plugin::id).containsExactly("good", "fine");
            assertThat(plugins.rejected())
                    .extracting(RejectedPlugin::location)
                    .containsExactly(bad.toString(), other.toString());
            MigrationException failure = missing(plugins, "twin");
            assertThat(failure.blame()).isEqualTo(Blame.PLUGIN);
            assertThat(failure)
                    .hasMessageContaining(bad.toString())
                    .hasMessageContaining(other.toString());
        }
    }

    @Test
    void aThirdOfThatIdIsRejectedTooWhenItComesLater() throws Exception {
        new JarMaker().transport("b.One", "\"good\"").jar(bad);
        Plugins two = folder();
        assertThat(two.rejected()).hasSize(2);
        Plugins three = two.plus(Fakes.transport("good"));
        assertThat(three.rejected()).hasSize(3);
        assertThat(three.all()).extracting(Plugin::id).containsExactly("fine");
    }

    @ParameterizedTest
    @ValueSource(strings = {"this is garbage", "b..Odd", "1nonsense", "b.Odd b.Odd"})
    void garbageInItsServicesFile(String line) throws Exception {
        new JarMaker().service(TransportProvider.class, line).jar(bad);
        RejectedPlugin rejected = onlyRejected();
        assertThat(rejected.location()).isEqualTo(bad.toString());
    }

    @Test
    void itsServicesFileNamesNoClass() throws Exception {
        new JarMaker().service(TransportProvider.class, "b.Gone").jar(bad);
        RejectedPlugin rejected = onlyRejected();
        assertThat(rejected.location()).isEqualTo(bad.toString());
        assertThat(rejected.provider()).contains("b.Gone");
    }

    @Test
    void itsServicesFileNamesSomethingElse() throws Exception {
        new JarMaker()
                .source("b.Other", "package b; public class Other {}")
                .service(TransportProvider.class, "b.Other")
                .jar(bad);
        RejectedPlugin rejected = onlyRejected();
        assertThat(rejected.location()).isEqualTo(bad.toString());
        assertThat(rejected.provider()).contains("b.Other");
        assertThat(rejected.sentence()).contains("not a subtype");
    }

    @Test
    void everythingBrokenAtOnce() throws Exception {
        new JarMaker().transport("b.New", "\"new\"").tooNew("b.New").jar(bad);
        new JarMaker().service(TransportProvider.class, "d.Gone").jar(folder.resolve("d/d.jar"));
        new JarMaker().transport("e.Odd", "null").jar(folder.resolve("e/e.jar"));
        new JarMaker().service(TransportProvider.class, "?").jar(folder.resolve("f/f.jar"));
        for (Plugins plugins : List.of(classPath(), folder())) {
            assertThat(plugins.all()).extracting(Plugin::id).containsExactly("good", "fine");
            assertThat(plugins.rejected())
                    .extracting(r -> Path.of(r.location()).getFileName().toString())
                    .containsExactlyInAnyOrder("bad.jar", "d.jar", "e.jar", "f.jar");
        }
    }

    @Test
    void aLoaderThatFailsForEverIsGivenUp() {
        ClassLoader hopeless =
                new ClassLoader(null) {
                    @Override
                    public java.util.Enumeration<URL> getResources(String name)
                            throws java.io.IOException {
                        throw new java.io.IOException("no disk");
                    }
                };
        Plugins plugins = Plugins.discover(hopeless);
        assertThat(plugins.all()).hasSameSizeAs(Plugins.builtIn().all());
        assertThat(plugins.rejected()).hasSize(PluginKind.values().length);
        assertThat(plugins.rejected().getFirst().sentence()).contains("no disk");
    }

    private static MigrationException missing(Plugins plugins, String scheme) {
        return catchThrowableOfType(MigrationException.class, () -> plugins.transport(scheme));
    }
}
