import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Makes of what Maven has deployed into a folder what Maven Central takes: all four checksums of
 * each file, nothing that is only for a repository's own use, and one zip of it.
 *
 * <p>{@code java .ci/central/Bundle.java FOLDER ZIP}
 */
final class Bundle {
    private static final String METADATA = "maven-metadata"; // Central writes its own

    /** The doubles of spi are for the other modules' tests; what others test with is testkit. */
    private static final String TESTS = "-tests.jar";

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        for (Path file : files(folder)) {
            String name = file.getFileName().toString();
            if (name.startsWith(METADATA) || name.contains(TESTS)) Files.delete(file);
            else if (Checksums.wants(name)) Checksums.write(file);
        }
        List<Path> files = files(folder);
        try (OutputStream file = Files.newOutputStream(Path.of(arguments[1]));
                ZipOutputStream zip = new ZipOutputStream(file)) {
            for (Path each : files) {
                ZipEntry entry = new ZipEntry(folder.relativize(each).toString());
                entry.setTime(0);
                zip.putNextEntry(entry);
                Files.copy(each, zip);
            }
        }
        System.out.println(arguments[1] + " has " + files.size() + " files");
    }

    static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile).sorted().toList();
        }
    }
}
