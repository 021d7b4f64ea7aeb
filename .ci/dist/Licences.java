import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** Gathers the licences of other people's jars: a folder for each. */
final class Licences {
    private static final Pattern TEXT =
            Pattern.compile("(META-INF/)?([\\w-]*(LICEN[CS]E|NOTICE|COPYING)[\\w.-]*)");

    private static final Pattern LICENCE =
            Pattern.compile("<license>\\s*<name>\\s*([^<]*?)\\s*</name>");

    private static final String HEAD =
            """
            What others wrote, and is in lib or in the runtime's modules, under these licences. The
            texts are in the folders beside. vmferry itself is under the Apache License 2.0: LICENSE.

            """;

    private final Path given;

    /**
     * Of jars that have none within, they are found in a folder of that, by the artifact's name.
     */
    Licences(Path given) {
        this.given = given;
    }

    void write(List<Path> jars, Path folder) throws IOException {
        Map<String, String> all = new TreeMap<>();
        for (Path jar : jars) {
            String name = jar.getFileName().toString().replaceFirst("\\.jar$", "");
            if (name.startsWith("vmferry-") || Files.isDirectory(jar)) continue; // ours
            Path to = Files.createDirectories(folder.resolve(name));
            if (!copied(jar, to)) copyGiven(name, to);
            all.put(name, name(jar));
        }
        StringBuilder list = new StringBuilder(HEAD);
        all.forEach((jar, licence) -> list.append("%-28s  %s%n".formatted(jar, licence)));
        Files.writeString(folder.resolve("THIRD-PARTY.txt"), list);
    }

    /** As its pom names it, which stands beside it in Maven's repository, or else its manifest. */
    private static String name(Path jar) throws IOException {
        Path pom = Path.of(jar.toString().replaceFirst("\\.jar$", ".pom"));
        Matcher licence = LICENCE.matcher(Files.readString(pom));
        if (licence.find()) return licence.group(1);
        try (JarFile file = new JarFile(jar.toFile())) {
            String bundle = file.getManifest().getMainAttributes().getValue("Bundle-License");
            if (bundle == null)
                throw new IOException(
                        "neither its pom nor its manifest names the licence of " + jar);
            return bundle;
        }
    }

    /** Whether there was a licence; a notice alone is none. */
    private static boolean copied(Path jar, Path folder) throws IOException {
        boolean licensed = false;
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            for (ZipEntry entry :
                    (Iterable<ZipEntry>) zip.stream().<ZipEntry>map(e -> e)::iterator) {
                var text = TEXT.matcher(entry.getName());
                if (!text.matches()) continue;
                try (InputStream in = zip.getInputStream(entry)) {
                    Files.write(folder.resolve(text.group(2)), in.readAllBytes());
                }
                licensed |= !text.group(3).equals("NOTICE");
            }
        }
        return licensed;
    }

    private void copyGiven(String jar, Path folder) throws IOException {
        Path texts = given.resolve(jar.replaceFirst("-\\d.*", ""));
        if (!Files.isDirectory(texts))
            throw new IOException(
                    jar
                            + ".jar has no licence within: put its text, as its authors publish it,"
                            + " into "
                            + texts);
        try (Stream<Path> all = Files.list(texts)) {
            for (Path text : all.toList()) {
                Files.write(folder.resolve(text.getFileName()), Files.readAllBytes(text));
            }
        }
    }
}
