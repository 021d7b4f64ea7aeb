package org.vmferry.it.fuzz;

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

/** Plug-ins' jars and their lists of services; "past header" is that something of it was named. */
final class JarFormat extends Format {
    private static final String SERVICES = "META-INF/services/" + TransportProvider.class.getName();

    private final Path folder;
    private final List<Sample> samples;

    JarFormat(String name, int share, Path folder) throws IOException {
        super(name, share);
        this.folder = folder;
        samples =
                List.of(
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
        Path place = Files.createDirectory(folder.resolve("plugins"));
        Path jar = place.resolve("a.jar");
        try {
            Files.write(jar, one(random, samples).changed(random, one(random, samples)).main());
            try (Plugins plugins = Plugins.fromAnyonesDirectory(place)) {
                for (RejectedPlugin rejected : plugins.rejected()) {
                    trial.accepted();
                    trial.refused();
                    trial.shows(rejected.toString());
                }
            }
        } catch (IOException | RuntimeException | Error e) {
            trial.failed(e);
        } finally {
            Files.deleteIfExists(jar);
            Files.delete(place);
        }
    }
}
