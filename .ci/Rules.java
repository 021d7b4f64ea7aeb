import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Compares the numbered rules of docs/wire and docs/spi with the tests that cite them, and with the
 * broken implementations that show those tests to work: prints the rules that no test proves,
 * writes all of it to target/rules.md, and fails when a test cites a rule that isn't there, or a
 * rule of docs/spi has no test or no broken twin, or a row of docs/ownership.md has no test in
 * integration-tests: who runs the guest is shown by whole migrations only, and a row that nobody
 * has tried is a promise that an operator would rely on.
 */
public class Rules {
    private static final Pattern RULE =
            Pattern.compile("^(?:\\*\\*|\\| )([A-Z]+)-(\\d+)(?:\\*\\*| \\|)(.*)");
    private static final Pattern CITED = Pattern.compile("@Tag\\(\"([A-Z]+-\\d+)\"\\)");
    private static final Pattern BROKEN = Pattern.compile("@Breaks\\(((?:(?!maybe)[^)])*)");
    private static final Pattern ID = Pattern.compile("\"([A-Z]+-\\d+)\"");
    private static final Pattern NAME =
            Pattern.compile("(?:\\bvoid|\\bclass|DynamicTest>) +(\\w+)");

    /** By document and number: STR-2 before STR-10. */
    private record Id(String area, int number) implements Comparable<Id> {
        static Id of(String text) {
            int dash = text.indexOf('-');
            return new Id(text.substring(0, dash), Integer.parseInt(text.substring(dash + 1)));
        }

        @Override
        public int compareTo(Id other) {
            int areas = area.compareTo(other.area);
            return areas != 0 ? areas : Integer.compare(number, other.number);
        }

        @Override
        public String toString() {
            return area + "-" + number;
        }
    }

    private static final String WHOLE = "integration-tests"; // the module of whole migrations

    private record Rule(Path document, String text, List<String> tests, List<String> twins) {
        /** Whether a test may show it: a row of docs/ownership.md only a whole migration. */
        boolean takes(Path test) {
            return !document.endsWith("ownership.md") || test.startsWith(WHOLE);
        }
    }

    public static void main(String[] args) throws Exception {
        Path root = Path.of(args.length == 0 ? "." : args[0]);
        Map<Id, Rule> rules = rules(root);
        List<String> unknown = new ArrayList<>();
        for (Path source : files(root, ".java")) {
            if (!source.toString().contains("/src/test/") && !source.toString().contains("testkit"))
                continue;
            String text = Files.readString(source);
            Path path = root.relativize(source);
            for (Matcher cited = CITED.matcher(text); cited.find(); )
                cite(rules, cited.group(1), text, cited.end(), path, false, unknown);
            for (Matcher broken = BROKEN.matcher(text); broken.find(); )
                for (Matcher id = ID.matcher(broken.group(1)); id.find(); )
                    cite(rules, id.group(1), text, broken.end(), path, true, unknown);
        }
        write(root, rules);
        System.out.println(rules.size() + " rules, without a test: " + without(rules, false, ""));
        String spi = "spi";
        System.out.println("Rules of the SPI without a broken twin: " + without(rules, true, spi));
        String rows = without(rules, false, "ownership.md");
        System.out.println("Rows of docs/ownership.md without a whole migration: " + rows);
        if (!unknown.isEmpty()) fail("Tests cite rules that docs/ doesn't have: " + unknown);
        if (!without(rules, false, spi).equals("none") || !without(rules, true, spi).equals("none"))
            fail("Rules of docs/spi need a test and a broken twin each");
        if (!rows.equals("none"))
            fail("Rows of docs/ownership.md need a test in " + WHOLE + " each: " + rows);
    }

    private static Map<Id, Rule> rules(Path root) throws Exception {
        Map<Id, Rule> rules = new TreeMap<>();
        for (Path document : files(root.resolve("docs"), ".md")) {
            for (String line : Files.readAllLines(document)) {
                var rule = RULE.matcher(line);
                if (!rule.find()) continue;
                Id id = new Id(rule.group(1), Integer.parseInt(rule.group(2)));
                String text = rule.group(3).replaceAll("\\|\\s*$", "").replace('|', '/').strip();
                Rule made =
                        new Rule(
                                root.relativize(document),
                                text,
                                new ArrayList<>(),
                                new ArrayList<>());
                if (rules.put(id, made) != null) fail("Rule " + id + " stands twice: " + document);
            }
        }
        return rules;
    }

    private static void cite(
            Map<Id, Rule> rules,
            String id,
            String text,
            int from,
            Path source,
            boolean twin,
            List<String> unknown) {
        Rule rule = rules.get(Id.of(id));
        if (rule == null) {
            unknown.add(id + " in " + source);
            return;
        }
        String where = source.getFileName().toString().replace(".java", "");
        var name = NAME.matcher(text);
        if (name.find(from)) where += "." + name.group(1);
        if (twin) rule.twins().add(where);
        else if (rule.takes(source)) rule.tests().add(where);
    }

    /** Of a document, or of a folder of them. */
    private static String without(Map<Id, Rule> rules, boolean twin, String part) {
        List<String> left = new ArrayList<>();
        rules.forEach(
                (id, rule) -> {
                    boolean asked =
                            rule.document().endsWith(part)
                                    || rule.document().getParent().toString().endsWith(part);
                    if (asked && (twin ? rule.twins() : rule.tests()).isEmpty())
                        left.add(id.toString());
                });
        return left.isEmpty() ? "none" : left.toString();
    }

    private static void write(Path root, Map<Id, Rule> rules) throws Exception {
        StringBuilder page = new StringBuilder("# Rules, their tests, their broken twins\n");
        Path document = null;
        for (var entry : rules.entrySet()) {
            Rule rule = entry.getValue();
            if (!rule.document().equals(document)) {
                document = rule.document();
                page.append("\n## ").append(document).append("\n\n");
                page.append("| rule | | tests | twins |\n|---|---|---|---|\n");
            }
            page.append(
                    "| %s | %s | %s | %s |%n"
                            .formatted(
                                    entry.getKey(),
                                    rule.text(),
                                    String.join("<br>", rule.tests()),
                                    String.join("<br>", rule.twins())));
        }
        Path target = Files.createDirectories(root.resolve("target")).resolve("rules.md");
        Files.writeString(target, page);
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
