import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Compares the numbered rules of docs/wire and docs/spi with the tests that cite them: prints the
 * rules that no test proves, and fails when a test cites a rule that isn't there.
 */
public class Rules {
    private static final Pattern RULE =
            Pattern.compile("^(?:\\*\\*|\\| )([A-Z]+)-(\\d+)(?:\\*\\*| \\|)");
    private static final Pattern CITED = Pattern.compile("@Tag\\(\"([A-Z]+-\\d+)\"\\)");

    public static void main(String[] args) throws Exception {
        Path root = Path.of(args.length == 0 ? "." : args[0]);
        // By document and number: STR-2 before STR-10.
        Map<String, TreeSet<Integer>> untested = new TreeMap<>();
        TreeSet<String> rules = new TreeSet<>();
        for (Path document : files(root.resolve("docs"), ".md")) {
            for (String line : Files.readAllLines(document)) {
                var rule = RULE.matcher(line);
                if (!rule.find()) continue;
                if (!rules.add(rule.group(1) + "-" + rule.group(2))) {
                    fail(
                            "Rule "
                                    + rule.group(1)
                                    + "-"
                                    + rule.group(2)
                                    + " stands twice: "
                                    + document);
                }
                untested.computeIfAbsent(rule.group(1), k -> new TreeSet<>())
                        .add(Integer.valueOf(rule.group(2)));
            }
        }
        List<String> unknown = new ArrayList<>();
        for (Path source : files(root, ".java")) {
            if (!source.toString().contains("/src/test/") && !source.toString().contains("testkit"))
                continue;
            var cited = CITED.matcher(Files.readString(source));
            while (cited.find()) {
                String id = cited.group(1);
                if (!rules.contains(id)) unknown.add(id + " in " + root.relativize(source));
                else {
                    int dash = id.indexOf('-');
                    untested.get(id.substring(0, dash))
                            .remove(Integer.valueOf(id.substring(dash + 1)));
                }
            }
        }
        List<String> left = new ArrayList<>();
        untested.forEach((area, numbers) -> numbers.forEach(n -> left.add(area + "-" + n)));
        System.out.println(
                rules.size() + " rules, without a test: " + (left.isEmpty() ? "none" : left));
        if (!unknown.isEmpty()) fail("Tests cite rules that docs/ doesn't have: " + unknown);
    }

    private static List<Path> files(Path root, String suffix) throws Exception {
        try (var tree = Files.walk(root)) {
            return tree.filter(f -> f.toString().endsWith(suffix))
                    .filter(f -> !f.toString().contains("/target/"))
                    .sorted()
                    .toList();
        }
    }

    private static void fail(String why) {
        System.err.println(why);
        System.exit(1);
    }
}
