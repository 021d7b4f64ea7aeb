import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Lists the regular expressions of the main code in target/patterns.md, and fails when one could be
 * made to try again: names, headers and lists come from peers and files, and who makes them may
 * make them for that. What repeats without a bound must be possessive ("*+", "++"), and must not be
 * a group.
 */
public class Patterns {
    private static final Pattern USE =
            Pattern.compile(
                    "(?:Pattern\\.compile|\\.matches|\\.replaceAll|\\.replaceFirst|\\.split)\\(");
    private static final Pattern LITERAL = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");

    public static void main(String[] args) throws Exception {
        Path root = Path.of(args.length == 0 ? "." : args[0]);
        StringBuilder page =
                new StringBuilder("# Regular expressions\n\n| file | expression |\n|---|---|\n");
        List<String> wrong = new ArrayList<>();
        int count = 0;
        for (Path source : sources(root)) {
            String text = Files.readString(source);
            for (Matcher use = USE.matcher(text); use.find(); ) {
                String expression = literals(argument(text, use.end()));
                if (expression.isEmpty()) continue; // another method of that name
                count++;
                String where = root.relativize(source).toString();
                page.append("| %s | `%s` |%n".formatted(where, expression.replace("|", "\\|")));
                String why = whyNot(expression);
                if (!why.isEmpty()) wrong.add(where + ": " + expression + ": " + why);
            }
        }
        Files.writeString(
                Files.createDirectories(root.resolve("target")).resolve("patterns.md"), page);
        System.out.println(count + " regular expressions, that may try again: " + wrong.size());
        if (wrong.isEmpty()) return;
        wrong.forEach(System.err::println);
        System.exit(1);
    }

    private static List<Path> sources(Path root) throws Exception {
        try (var tree = Files.walk(root)) {
            return tree.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> file.toString().contains("/src/main/"))
                    .filter(file -> !file.toString().contains("/target/"))
                    .sorted()
                    .toList();
        }
    }

    /** The first argument of a call, up to its comma or the call's end. */
    private static String argument(String text, int from) {
        int depth = 0;
        boolean quoted = false;
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quoted && c == '\\') i++;
            else if (c == '"') quoted = !quoted;
            else if (quoted) continue;
            else if (c == '(') depth++;
            else if (c == ')' && depth-- == 0 || c == ',' && depth == 0)
                return text.substring(from, i);
        }
        return "";
    }

    /** All that stands in quotes, without Java's own escapes. */
    private static String literals(String argument) {
        StringBuilder all = new StringBuilder();
        for (Matcher literal = LITERAL.matcher(argument); literal.find(); )
            all.append(literal.group(1).replace("\\\"", "\"").replace("\\\\", "\\"));
        return all.toString();
    }

    private static String whyNot(String expression) {
        boolean inClass = false;
        for (int i = 0; i < expression.length(); i++) {
            char c = expression.charAt(i);
            if (c == '\\') i++;
            else if (c == '[') inClass = true;
            else if (c == ']') inClass = false;
            else if (!inClass && (c == '*' || c == '+' || isOpenRange(expression, i))) {
                boolean group =
                        i > 0 && expression.charAt(i - 1) == ')' && !escaped(expression, i - 1);
                if (group) return "a group repeats without a bound";
                int end = c == '{' ? expression.indexOf('}', i) + 1 : i + 1;
                if (end >= expression.length() || expression.charAt(end) != '+')
                    return "'" + expression.substring(i, end) + "' is not possessive";
                i = end;
            }
        }
        return "";
    }

    private static boolean escaped(String expression, int at) {
        int slashes = 0;
        while (at - 1 - slashes >= 0 && expression.charAt(at - 1 - slashes) == '\\') slashes++;
        return slashes % 2 == 1;
    }

    private static boolean isOpenRange(String expression, int at) {
        if (expression.charAt(at) != '{' || at == 0) return false;
        int end = expression.indexOf('}', at);
        return end > 0 && expression.charAt(end - 1) == ',';
    }
}
