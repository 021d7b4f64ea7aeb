import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.JavaFormatterOptions;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
        List<Path> wrong = sources.parallelStream().filter(f -> isWrong(f, !check)).toList();
        if (check && !wrong.isEmpty()) {
            System.err.println("Not formatted (a local 'mvn verify' formats them): " + wrong);
            System.exit(1);
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
