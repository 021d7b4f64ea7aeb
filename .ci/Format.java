import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.JavaFormatterOptions;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;

/**
 * Formats every Java file of the project ("apply"), or names those that are not formatted
 * ("check").
 */
public class Format {
    private static final Formatter FORMATTER =
            new Formatter(
                    JavaFormatterOptions.builder().style(JavaFormatterOptions.Style.AOSP).build());

    public static void main(String[] args) throws Exception {
        boolean check = args[0].equals("check");
        List<Path> sources;
        try (var tree = Files.walk(Path.of("."))) {
            sources =
                    tree.filter(f -> f.toString().endsWith(".java"))
                            .filter(f -> !f.toString().contains("/target/"))
                            .sorted()
                            .toList();
        }
        // What has not changed since all was formatted still is; a check looks at everything.
        Path last = Path.of("target/formatted");
        if (!check && Files.exists(last)) {
            FileTime then = Files.getLastModifiedTime(last);
            boolean other = isNewer(Path.of("pom.xml"), then); // perhaps another formatter
            if (!other) sources = sources.stream().filter(f -> isNewer(f, then)).toList();
        }
        FileTime now = FileTime.from(Instant.now());
        List<Path> wrong = sources.parallelStream().filter(f -> isWrong(f, !check)).toList();
        if (check && !wrong.isEmpty()) {
            System.err.println("Not formatted (a local 'mvn verify' formats them): " + wrong);
            System.exit(1);
        }
        if (!check) Files.setLastModifiedTime(Files.write(last, new byte[0]), now);
    }

    private static boolean isNewer(Path source, FileTime then) {
        try {
            return Files.getLastModifiedTime(source).compareTo(then) >= 0;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isWrong(Path source, boolean cures) {
        try {
            String before = Files.readString(source);
            String after = FORMATTER.formatSourceAndFixImports(before);
            if (after.equals(before)) return false;
            // Again: the first pass may leave what the second would break differently.
            if (cures) Files.writeString(source, FORMATTER.formatSourceAndFixImports(after));
            return true;
        } catch (IOException | FormatterException e) {
            throw new IllegalStateException(source + ": " + e.getMessage(), e);
        }
    }
}
