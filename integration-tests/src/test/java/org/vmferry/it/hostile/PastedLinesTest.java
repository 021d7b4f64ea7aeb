package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A message that offers a command to be pasted, with a name in it, quotes the name by
 * Printable.shellWord: whoever chose the name could end any other quotes.
 */
class PastedLinesTest {
    /** A string that ends with a command, or goes on with what is put in its place. */
    private static final Pattern COMMAND =
            Pattern.compile(
                    "\"(?:[^\"\\\\\n"
                        + "]|\\\\.)*?(?<![\\w-])(?:rm|rmdir|mv|cp|ln|kill|chmod|chown|chattr|u?mount|losetup|vmferry"
                        + " [a-z]+) (?:[-\\d][^\"\n"
                        + "]*)?(?:(?<=[ '])\"|'?%s[^\"\n"
                        + "]*\")");

    /** Those that are not quoted so. */
    private static List<String> wrong(String source) {
        List<String> wrong = new ArrayList<>();
        for (Matcher each = COMMAND.matcher(source); each.find(); ) {
            int end = source.indexOf(';', each.end());
            String rest = source.substring(each.end(), end < 0 ? source.length() : end);
            if (!rest.contains("shellWord(")) wrong.add(each.group());
        }
        return wrong;
    }

    @Test
    void eachNamesThingsByOneFunction() throws IOException {
        List<String> wrong = new ArrayList<>();
        int quoted = 0;
        Path root = Path.of(System.getProperty("vmferry.root", ".."));
        try (var all = Files.walk(root)) {
            for (Path file : (Iterable<Path>) all::iterator) {
                String name = root.relativize(file).toString();
                if (!name.endsWith(".java") || !name.contains("src/main/java/")) continue;
                String source = Files.readString(file);
                wrong(source).forEach(each -> wrong.add(name + ": " + each));
                if (source.contains("Printable.shellWord(")) quoted++;
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(quoted).as("files with such lines").isPositive();
    }

    @Test
    void itFindsOneThatIsNot() {
        assertThat(wrong("say(\"remove it with: rm -r -- \" + dead);")).hasSize(1);
        assertThat(wrong("say(\"take it back: chmod 600 '%s'\".formatted(key));")).hasSize(1);
        assertThat(wrong("say(\"look: vmferry inspect %s\".formatted(file));")).hasSize(1);
        assertThat(wrong("say(\"end it: kill \" + pid);")).hasSize(1);
        assertThat(wrong("say(\"remove it with: rm -- \" + Printable.shellWord(dead));")).isEmpty();
    }
}
