import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/** The four that stand beside each file, by what their names end in. */
final class Checksums {
    static final Map<String, String> ALGORITHMS =
            new TreeMap<>(
                    Map.of(
                            ".md5", "MD5",
                            ".sha1", "SHA-1",
                            ".sha256", "SHA-256",
                            ".sha512", "SHA-512"));

    private Checksums() {}

    /** A signature and a checksum have none of their own. */
    static boolean wants(String name) {
        return !name.endsWith(".asc") && ALGORITHMS.keySet().stream().noneMatch(name::endsWith);
    }

    static void write(Path file) throws IOException {
        for (var each : ALGORITHMS.entrySet())
            Files.writeString(beside(file, each.getKey()), of(file, each.getValue()));
    }

    static Path beside(Path file, String end) {
        return file.resolveSibling(file.getFileName() + end);
    }

    static String of(Path file, String algorithm) throws IOException {
        try {
            byte[] content = Files.readAllBytes(file);
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IOException(e);
        }
    }
}
