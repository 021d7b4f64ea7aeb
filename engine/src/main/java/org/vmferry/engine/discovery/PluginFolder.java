package org.vmferry.engine.discovery;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * Reads a folder of plug-ins: one sub-folder for each, with its jar and its libraries, at most one
 * level deeper ({@code lib/}). Each has a class loader of its own, so that two may bring different
 * versions of one library.
 */
final class PluginFolder {
    private final List<URLClassLoader> loaders = new ArrayList<>();
    private final Scan scan = new Scan();
    private final ClassLoader shared = new SharedLoader(PluginFolder.class.getClassLoader());

    static Plugins read(Path folder) throws MigrationException {
        PluginFolder reader = new PluginFolder();
        List<Path> entries;
        try {
            entries = sorted(Files.list(folder));
        } catch (IOException e) {
            throw new MigrationException(
                    Blame.USER, "plug-in folder " + folder + " can't be read: " + e, e);
        }
        for (Path entry : entries) reader.entry(entry);
        return new Plugins(reader.scan.found, reader.scan.rejected, reader.loaders);
    }

    private static List<Path> sorted(Stream<Path> paths) {
        try (paths) {
            return paths.sorted().toList();
        }
    }

    private void entry(Path entry) {
        if (entry.getFileName().toString().startsWith(".")) return;
        if (Files.isDirectory(entry)) {
            try {
                plugin(entry);
            } catch (IOException | UncheckedIOException e) {
                reject(entry, e, "plug-in folder " + entry + " can't be read: " + e);
            }
        } else if (isJar(entry)) {
            reject(
                    entry,
                    null,
                    entry + " is left out: every plug-in takes a sub-folder of its own here");
        }
    }

    private void plugin(Path folder) throws IOException {
        List<URL> urls = new ArrayList<>();
        int before = scan.found.size() + scan.rejected.size();
        for (Path jar : sorted(Files.walk(folder, 2, FileVisitOption.FOLLOW_LINKS))) {
            if (!isJar(jar) || !Files.isRegularFile(jar)) continue;
            try (JarFile opened = new JarFile(jar.toFile())) {
                opened.getManifest();
                urls.add(jar.toUri().toURL());
            } catch (IOException | RuntimeException e) {
                // URLClassLoader would leave it out without a word.
                reject(jar, e, jar + " is left out: it is no readable jar: " + e.getMessage());
            }
        }
        if (!urls.isEmpty()) {
            String name = "vmferry-plugin-" + folder.getFileName();
            URLClassLoader loader = new URLClassLoader(name, urls.toArray(URL[]::new), shared);
            loaders.add(loader);
            scan.loader(loader);
        }
        if (before == scan.found.size() + scan.rejected.size()) {
            reject(
                    folder,
                    null,
                    "plug-in folder "
                            + folder
                            + (urls.isEmpty()
                                    ? " has no jar in it"
                                    : " has no jar that names a provider in META-INF/services"));
        }
    }

    private static boolean isJar(Path path) {
        return path.getFileName().toString().endsWith(".jar");
    }

    private void reject(Path place, Throwable cause, String sentence) {
        scan.rejected.add(RejectedPlugin.file(place.toString(), cause, sentence));
    }

    /** The only things of the host's that a plug-in sees: spi, slf4j-api and jakarta.inject. */
    private static final class SharedLoader extends ClassLoader {
        private static final List<String> SHARED =
                List.of("org.vmferry.spi.", "org.slf4j.", "jakarta.inject.");

        private final ClassLoader host;

        static {
            registerAsParallelCapable();
        }

        SharedLoader(ClassLoader host) {
            super("vmferry-shared", getPlatformClassLoader());
            this.host = host;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (SHARED.stream().anyMatch(name::startsWith)) return host.loadClass(name);
            Class<?> type = getParent().loadClass(name);
            // The platform's loader also gives away the classes of the application's modules.
            ClassLoader owner = type.getClassLoader();
            if (owner != null && owner != getParent()) throw new ClassNotFoundException(name);
            return type;
        }
    }
}
