import java.util.ArrayList;
import java.util.List;

/** A man page as it is written: plain text comes in, what means something to roff is escaped. */
final class Roff {
    /** Characters that texts have around what is bold or italic: they mean nothing else. */
    static final char BOLD = '\u0001';

    static final char ITALIC = '\u0002';
    static final char PLAIN = '\u0003';

    private final List<String> lines = new ArrayList<>();

    Roff(String title, String date, String source, String manual) {
        macro("TH", title, "1", date, source, manual);
        lines.add(".nh"); // a name that is broken can't be searched for
        lines.add(".ad l");
    }

    Roff section(String name) {
        macro("SH", name);
        return this;
    }

    Roff text(String text) {
        lines.add(escape(text));
        return this;
    }

    Roff paragraph(String text) {
        lines.add(".PP");
        return text(text);
    }

    /** A term with what it means below. */
    Roff item(String term, String... meaning) {
        lines.add(".TP");
        text(term);
        for (int i = 0; i < meaning.length; i++) {
            if (i > 0) lines.add(".br");
            text(meaning[i]);
        }
        return this;
    }

    /** Lines as they are. */
    Roff example(List<String> verbatim) {
        lines.add(".PP");
        lines.add(".RS 4");
        lines.add(".nf");
        verbatim.forEach(this::text);
        lines.add(".fi");
        lines.add(".RE");
        return this;
    }

    static String bold(String text) {
        return BOLD + text + PLAIN;
    }

    private void macro(String name, String... arguments) {
        StringBuilder line = new StringBuilder("." + name);
        for (String argument : arguments)
            line.append(" \"").append(escape(argument).replace("\"", "\\(dq")).append('"');
        lines.add(line.toString());
    }

    private static String escape(String text) {
        StringBuilder out = new StringBuilder();
        if (text.startsWith(".") || text.startsWith("'")) out.append("\\&");
        for (char each : text.toCharArray()) {
            out.append(
                    switch (each) {
                        case BOLD -> "\\fB";
                        case ITALIC -> "\\fI";
                        case PLAIN -> "\\fR";
                        case '\\' -> "\\e";
                        case '-' -> "\\-"; // as it is typed: no hyphen
                        case '\'' -> "\\(aq";
                        case '`' -> "\\(ga";
                        case '^' -> "\\(ha";
                        case '~' -> "\\(ti";
                        default -> String.valueOf(each);
                    });
        }
        return out.toString();
    }

    @Override
    public String toString() {
        return String.join("\n", lines) + "\n";
    }
}
