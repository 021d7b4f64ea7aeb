package org.vmferry.it.thirdparty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.apache.felix.framework.FrameworkFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.wiring.BundleWiring;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires.Modifier;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarInputStream;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/**
 * An OSGi container, Apache Felix: each bundle has a class loader of its own, which sees what the
 * bundle imports and nothing else. The jars have no headers for it; whoever makes bundles of them
 * writes these, as bnd would.
 */
class BundlesTest {
    private static final String WHOLE =
            "packed restored whole and RUNNING, arrived whole and RUNNING";

    /** Of the JDK's, which a bundle has to ask for unless they begin with java. */
    private static final String IMPORTS =
            "javax.net.ssl,javax.security.auth.x500,jdk.jfr,jdk.net,com.sun.nio.file";

    @TempDir Path directory;
    private Framework felix;

    @BeforeEach
    void start() throws Exception {
        felix =
                new FrameworkFactory()
                        .newFramework(
                                Map.of(
                                        Constants.FRAMEWORK_STORAGE,
                                        directory.resolve("cache").toString(),
                                        // Else its extender, SPI-Fly, has to be there.
                                        Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA,
                                        String.join(",", packages(modules("slf4j-api")))));
        felix.start();
    }

    @AfterEach
    void stop() throws Exception {
        felix.stop();
        felix.waitForStop(20_000);
    }

    private Bundle install(Path jar) throws Exception {
        Bundle bundle = felix.getBundleContext().installBundle(jar.toUri().toString());
        bundle.start();
        return bundle;
    }

    /** The simplest way: the host's bundle has all of it in it. */
    @Test
    void allInOneBundle() throws Exception {
        assertThat(Files.readString(ThirdParty.ROOT.resolve("docs/embedding.md")))
                .contains("`" + IMPORTS + "`");
        Class<?> host = install(all(IMPORTS)).loadClass(Applications.HOST);
        assertThat(Applications.within(host, List.of(), directory)).isEqualTo(WHOLE);
    }

    @Test
    @Tag("stress")
    void whatItDoesNotImportIsNamed() throws Exception {
        Class<?> host = install(all(IMPORTS.replace("jdk.jfr,", ""))).loadClass(Applications.HOST);
        assertThatThrownBy(() -> Applications.within(host, List.of(), directory))
                .hasStackTraceContaining("NoClassDefFoundError: jdk/jfr/");
    }

    private Path all(String imports) throws Exception {
        List<Path> parts = new ArrayList<>(Applications.jars());
        parts.add(Applications.host(directory));
        List<String> path = parts.stream().map(part -> "lib/" + part.getFileName()).toList();
        Manifest manifest = manifest("host");
        Attributes headers = manifest.getMainAttributes();
        headers.putValue(Constants.BUNDLE_CLASSPATH, String.join(",", path));
        headers.putValue(Constants.IMPORT_PACKAGE, imports);
        Path jar = directory.resolve("all.jar");
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out, manifest)) {
            for (Path part : parts) {
                entries.putNextEntry(new JarEntry("lib/" + part.getFileName()));
                Files.copy(part, entries);
            }
        }
        return jar;
    }

    /** The engine sees no plug-in: the host does, and says where they are. */
    @Test
    void eachABundle() throws Exception {
        for (Path jar : ThirdParty.jars(List.of("jakarta.inject", "jackson", "zstd-jni")))
            install(jar);
        for (Path jar : ThirdParty.jars(List.of("vmferry-spi", "vmferry-engine")))
            install(bundle(jar, Set.of()));
        List<ClassLoader> plugins = new ArrayList<>();
        for (String name : Applications.PLUGINS) {
            if (!name.startsWith("vmferry-plugin")) continue;
            Path jar = ThirdParty.jars(List.of(name)).getFirst();
            plugins.add(install(bundle(jar, Set.of())).adapt(BundleWiring.class).getClassLoader());
        }
        Path jar = Applications.host(directory);
        Class<?> host =
                install(bundle(jar, Set.of("org.vmferry.engine"))).loadClass(Applications.HOST);
        assertThat(Applications.within(host, plugins, directory)).isEqualTo(WHOLE);
        assertThatThrownBy(() -> Applications.within(host, List.of(), directory))
                .rootCause()
                .hasMessageContaining("add org.vmferry:vmferry-plugin-mappedram (looked at: the")
                .hasMessageContaining("the engine's class loader");
    }

    /**
     * A jar with the headers that its author left out: all of it is exported, and what its module
     * requires is imported, unless it is optional and not there.
     */
    private Path bundle(Path jar, Set<String> requires) throws Exception {
        Manifest manifest = manifest(jar.getFileName().toString().replaceFirst("-[0-9].*", ""));
        Set<String> modules = new TreeSet<>(requires);
        ModuleDescriptor module = ModuleFinder.of(jar).findAll().iterator().next().descriptor();
        for (ModuleDescriptor.Requires one : module.requires()) {
            boolean optional = one.modifiers().contains(Modifier.STATIC);
            if (!optional || isThere(one.name())) modules.add(one.name());
        }
        imports(manifest, modules);
        manifest.getMainAttributes()
                .putValue(Constants.EXPORT_PACKAGE, String.join(",", module.packages()));
        Path bundle = directory.resolve("bundle-" + jar.getFileName());
        try (InputStream in = Files.newInputStream(jar);
                JarInputStream from = new JarInputStream(in);
                OutputStream out = Files.newOutputStream(bundle);
                JarOutputStream to = new JarOutputStream(out, manifest)) {
            for (JarEntry entry = from.getNextJarEntry();
                    entry != null;
                    entry = from.getNextJarEntry()) {
                to.putNextEntry(new JarEntry(entry.getName()));
                from.transferTo(to);
            }
        }
        return bundle;
    }

    private static Manifest manifest(String name) {
        Manifest manifest = new Manifest();
        Attributes headers = manifest.getMainAttributes();
        headers.putValue("Manifest-Version", "1.0");
        headers.putValue(Constants.BUNDLE_MANIFESTVERSION, "2");
        headers.putValue(Constants.BUNDLE_SYMBOLICNAME, name);
        return manifest;
    }

    private static void imports(Manifest manifest, Set<String> names) {
        Set<ModuleDescriptor> modules = modules(Applications.jars());
        Set<ModuleDescriptor> wanted = new HashSet<>();
        names.forEach(name -> add(name, modules, wanted));
        manifest.getMainAttributes()
                .putValue(Constants.IMPORT_PACKAGE, String.join(",", packages(wanted)));
    }

    /** With what it requires transitively. */
    private static void add(String name, Set<ModuleDescriptor> ours, Set<ModuleDescriptor> wanted) {
        ModuleDescriptor module =
                ours.stream()
                        .filter(one -> one.name().equals(name))
                        .findFirst()
                        .or(() -> ModuleFinder.ofSystem().find(name).map(m -> m.descriptor()))
                        .orElseThrow();
        if (!wanted.add(module)) return;
        for (ModuleDescriptor.Requires requires : module.requires()) {
            boolean base = requires.name().equals("java.base");
            boolean on = requires.modifiers().contains(Modifier.TRANSITIVE);
            if (base || on) add(requires.name(), ours, wanted);
        }
    }

    private static boolean isThere(String name) {
        return modules(Applications.jars()).stream().anyMatch(one -> one.name().equals(name));
    }

    private static Set<ModuleDescriptor> modules(String name) {
        return modules(ThirdParty.jars(List.of(name)));
    }

    private static Set<ModuleDescriptor> modules(List<Path> jars) {
        Set<ModuleDescriptor> modules = new HashSet<>();
        for (var found : ModuleFinder.of(jars.toArray(Path[]::new)).findAll())
            modules.add(found.descriptor());
        return modules;
    }

    /** What they export to everybody, without what every bundle sees. */
    private static Set<String> packages(Set<ModuleDescriptor> modules) {
        Set<String> packages = new TreeSet<>();
        for (ModuleDescriptor module : modules) {
            for (ModuleDescriptor.Exports exports : module.exports()) {
                boolean seen = exports.isQualified() || exports.source().startsWith("java.");
                if (!seen) packages.add(exports.source());
            }
        }
        return packages;
    }
}
