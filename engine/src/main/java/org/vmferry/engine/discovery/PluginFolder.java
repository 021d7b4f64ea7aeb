package org.vmferry.engine.discovery;

import org.jspecify.annotations.Nullable;
import org.vmferry.engine.system.Writers;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Printable;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Reads a folder of plug-ins: one sub-folder for each, with its jar and its libraries, at most one
 * level deeper ({@code lib/}). Each has a class loader of its own, so that two may bring different
 * versions of one library.
 */
final class PluginFolder {
    private static final String META = "META-INF/";
    private static final String SERVICES = META + "SERVICES/";
    private static final String LISTS = META + "services/";
    private static final String OURS = LISTS + "org.vmferry.spi.";

    /** Files in META-INF itself that the JDK reads whole: the manifest, an index, signatures. */
    private static final List<String> READ_WHOLE =
            List.of(".MF", ".LIST", ".SF", ".RSA", ".DSA", ".EC");

    private static final int MOST_BYTES = 1 << 20; // of each of these, and of a list of services

    private static final int MOST_LINES = 1000; // of a list of services: each name is looked for

    private final List<URLClassLoader> loaders = new ArrayList<>();
    private final Scan scan = new Scan();
    private final ClassLoader shared = new SharedLoader(PluginFolder.class.getClassLoader());

    private final boolean anyones;

    /**
     * A reader.
     *
     * @param anyones whether it also loads what others than root and this user can write to
     */
    PluginFolder(boolean anyones) {
        this.anyones = anyones;
    }

    Plugins read(Path folder) throws MigrationException {
        List<Path> entries;
        try {
            if (!anyones) refuse(folder, Writers.ofAll(folder));
            entries = sorted(Files.list(folder));
        } catch (IOException e) {
            if (e instanceof MigrationException refused) throw refused;
            throw new MigrationException(
                    Blame.USER, "plug-in folder " + folder + " can't be read: " + e, e);
        }
        for (Path entry : entries) entry(entry);
        return new Plugins(
                scan.found,
                scan.rejected,
                loaders,
                List.of(Printable.line("the folder " + folder)));
    }

    private static void refuse(Path place, Optional<String> writer) throws MigrationException {
        if (writer.isPresent()) {
            throw MigrationException.user(
                    "'%s' is not used: it %s, and plug-ins are code that runs as you: see who put"
                            + " what there and take the right away (chown, chmod), or say that it"
                            + " is meant to be so (--plugins-of-anyone, or"
                            + " Plugins.fromAnyonesDirectory)",
                    place, writer.get());
        }
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
            } catch (MigrationException e) {
                reject(entry, e, e.getMessage());
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
            boolean file = isJar(jar) && Files.isRegularFile(jar);
            if (!file && !Files.isDirectory(jar)) continue;
            if (!anyones) {
                boolean link = Files.isSymbolicLink(jar);
                refuse(jar, link ? Writers.ofAll(jar) : Writers.of(jar));
            }
            if (!file) continue;
            try {
                check(jar);
                urls.add(jar.toUri().toURL());
                unknownKinds(jar);
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

    /** Whether what the JDK reads whole has a limit: a jar may unpack to a thousand times. */
    private static void check(Path jar) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                if (!isReadWhole(entry.getName().toUpperCase(Locale.ROOT))) continue;
                byte[] whole;
                try (InputStream in = zip.getInputStream(entry)) {
                    whole = in.readNBytes(MOST_BYTES + 1);
                }
                within(whole.length, MOST_BYTES, "bytes", entry);
                if (isList(entry.getName().toUpperCase(Locale.ROOT))) {
                    within(lines(whole), MOST_LINES, "lines", entry);
                }
            }
        }
        try (JarFile opened = new JarFile(jar.toFile())) {
            opened.getManifest();
        }
    }

    private static void within(int count, int most, String unit, ZipEntry entry)
            throws IOException {
        if (count <= most) return;
        throw new IOException("its %s has more than %d %s".formatted(entry.getName(), most, unit));
    }

    private static int lines(byte[] text) {
        int ends = 0;
        for (byte one : text) if (one == '\n' || one == '\r') ends++;
        return ends;
    }

    /** A list of services that nobody asks for would be passed over without a word. */
    private void unknownKinds(Path jar) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                if (!entry.getName().startsWith(OURS) || PluginKind.names().contains(type(entry))) {
                    continue;
                }
                reject(
                        jar,
                        null,
                        "%s: what its %s names is left out: that is no kind of plug-in; the kinds are %s"
                                .formatted(
                                        jar,
                                        entry.getName(),
                                        String.join(", ", PluginKind.names())));
            }
        }
    }

    private static String type(ZipEntry list) {
        return list.getName().substring(LISTS.length());
    }

    private static boolean isReadWhole(String name) {
        if (isList(name)) return true;
        return name.startsWith(META)
                && name.indexOf('/', META.length()) < 0
                && READ_WHOLE.stream().anyMatch(name::endsWith);
    }

    private static boolean isList(String name) {
        return name.startsWith(SERVICES);
    }

    private static boolean isJar(Path path) {
        return path.getFileName().toString().endsWith(".jar");
    }

    private void reject(Path place, @Nullable Throwable cause, String sentence) {
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
