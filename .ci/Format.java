import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.JavaFormatterOptions;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Formats every Java file of the project ("apply"), or names those that are not formatted
 * ("check").
 */
public class Format {
    public static void main(String[] args) throws Exception {
        boolean check = args[0].equals("check");
        var formatter =
                new Formatter(
                        JavaFormatterOptions.builder()
                                .style(JavaFormatterOptions.Style.AOSP)
                                .build());
        List<Path> sources;
        try (var tree = Files.walk(Path.of("."))) {
            sources =
                    tree.filter(f -> f.toString().endsWith(".java"))
                            .filter(f -> !f.toString().contains("/target/"))
                            .sorted()
                            .toList();
        }
        List<Path> wrong = new ArrayList<>();
        for (Path source : sources) {
            String before = Files.readString(source);
            // Twice: the first pass may leave what the second would break differently.
            String after =
                    formatter.formatSourceAndFixImports(
                            formatter.formatSourceAndFixImports(before));
            if (after.equals(before)) continue;
            wrong.add(source);
            if (!check) Files.writeString(source, after);
        }
        if (check && !wrong.isEmpty()) {
            System.err.println("Not formatted (a local 'mvn verify' formats them): " + wrong);
            System.exit(1);
        }
    }
}
