package org.vmferry.it.fuzz;

import org.vmferry.engine.discovery.Plugin;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.discovery.RejectedPlugin;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.transport.TransportProvider;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Plug-ins' jars, of which the bytes or the entries are changed. "Past header" is that the jar
 * could be read, "START" that a provider in it was found or named as the reason, "a page" that one
 * was found.
 */
final class JarFormat extends Format {
    private static final String SERVICES = "META-INF/services/" + TransportProvider.class.getName();

    private final Path folder;
    private static final List<String> PLACES =
            List.of("a.jar", "a.jar", "a.jar", "lib/a.jar", "a.jar/b.jar", "x/y/a.jar", ".a.jar");
    private static final int LONGEST = 4000; // characters of a reason

    private final List<Sample> samples;
    private final List<Jar> jars;

    JarFormat(String name, int share, Path folder) throws IOException {
        super(name, share);
        this.folder = folder;
        jars = List.of(Jar.genuine(false), Jar.genuine(true));
        samples =
                List.of(
                        packed("genuine", jars.getFirst()),
                        packed("with a class that is none", jars.getLast()),
                        sample("a class that is none", "x.Y\n", 10),
                        sample("a class of the JDK", "java.lang.String\n# nothing\n", 10),
                        sample("a list of a MiB", "x.Y\n".repeat(1 << 18), 10),
                        sample("a class of 8 MiB", "x.Y\n", 8 << 20));
    }

    private static Sample sample(String name, String services, int length) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream jar = new ZipOutputStream(bytes)) {
            entry(
                    jar,
                    "META-INF/MANIFEST.MF",
                    "Manifest-Version: 1.0\n\n".getBytes(StandardCharsets.UTF_8));
            entry(jar, SERVICES, services.getBytes(StandardCharsets.UTF_8));
            entry(jar, "x/Y.class", new byte[length]);
        }
        return Sample.of(name, Settings.NONE, JarFormat::walk, bytes.toByteArray());
    }

    private static Sample packed(String name, Jar jar) throws IOException {
        return Sample.of(name, Settings.NONE, JarFormat::walk, jar.bytes());
    }

    private static void entry(ZipOutputStream jar, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setTime(0);
        jar.putNextEntry(entry);
        jar.write(content);
        jar.closeEntry();
    }

    /** Each "PK" begins a head; the numbers in it are of 2 and 4 bytes. */
    private static Structure walk(byte[] bytes) {
        Structure found = new Structure();
        int begin = 0;
        for (int at = 0; at + 4 <= bytes.length; at++) {
            if (bytes[at] != 'P' || bytes[at + 1] != 'K' || bytes[at + 2] > 8) continue;
            found.piece(begin, at);
            begin = at;
            for (int i = at; i < Math.min(at + 46, bytes.length - 4); i += 2) {
                found.little(i, 2);
                found.little(i, 4);
            }
        }
        found.piece(begin, bytes.length);
        return found;
    }

    @Override
    void run(SplittableRandom random, Trial trial) throws Exception {
        boolean inside = random.nextInt(3) > 0;
        byte[] bytes =
                inside
                        ? one(random, jars).changed(random).bytes()
                        : one(random, samples).changed(random, one(random, samples)).main();
        attempt(bytes, one(random, PLACES), trial);
    }

    /** Looks for plug-ins where this jar is one's. */
    void attempt(byte[] bytes, String where, Trial trial) throws IOException {
        Path all = Files.createDirectory(folder.resolve("plugins"));
        Path jar = all.resolve("little").resolve(where);
        try {
            Files.createDirectories(jar.getParent());
            Files.write(jar, bytes);
            try (Plugins plugins = Plugins.fromAnyonesDirectory(all)) {
                plugins.rejected().forEach(rejected -> refused(rejected, trial));
                trial.page = !plugins.all().isEmpty();
                trial.start |= trial.page;
                trial.header |= trial.page;
                for (Plugin plugin : plugins.all()) trial.shows(plugin.toString());
            }
        } catch (IOException | RuntimeException | Error e) {
            trial.failed(e);
        } finally {
            for (Path left = jar; !left.equals(folder); left = left.getParent()) Files.delete(left);
        }
    }

    private static void refused(RejectedPlugin rejected, Trial trial) {
        String sentence = rejected.toString();
        trial.refused();
        trial.header |= !sentence.contains("is no readable jar");
        trial.start |= rejected.provider().isPresent();
        trial.shows(sentence);
        if (sentence.length() > LONGEST) {
            trial.other(sentence.length() + " characters: " + sentence.substring(0, 200));
        }
    }
}
