package org.vmferry.engine.discovery;

import static java.util.regex.Matcher.quoteReplacement;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Handed;
import org.vmferry.spi.Printable;
import org.vmferry.spi.Status;

import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A plug-in that was left out, while the others work on.
 *
 * @param kind which extension point it was to serve; empty if a whole jar or folder is of no use
 * @param provider name of the provider's class; empty if it isn't known
 * @param id the name that it gave itself; empty if it did not get so far
 * @param location the jar, directory or module
 * @param cause what was thrown; empty if nothing was
 * @param sentence what is wrong, with class and place, for a person
 */
@Handed
@Status(Status.Level.STABLE)
public record RejectedPlugin(
        Optional<PluginKind> kind,
        Optional<String> provider,
        Optional<String> id,
        String location,
        Optional<Throwable> cause,
        String sentence) {
    // Characters: a list of services may have names of a MiB.
    private static final int LONGEST = 2000;
    private static final Pattern LONG_WORD = Pattern.compile("\\S{500,}+");

    /**
     * One that was left out.
     *
     * @param cause as for the sentence
     * @param sentence names from outside may stand in it: it is made printable, and what is very
     *     long in it is said in part
     */
    public RejectedPlugin {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(location, "location");
        sentence = Printable.line(brief(Objects.requireNonNull(sentence, "sentence")));
        cause = cause.map(Printable::thrown);
    }

    private static String brief(String sentence) {
        String words =
                LONG_WORD
                        .matcher(sentence)
                        .replaceAll(word -> quoteReplacement(ends(word.group(), 200)));
        return words.length() <= LONGEST ? words : ends(words, LONGEST / 2);
    }

    /** The first and the last so many characters. */
    private static String ends(String text, int each) {
        return text.substring(0, each) + "[...]" + text.substring(text.length() - each);
    }

    static RejectedPlugin file(String location, @Nullable Throwable cause, String sentence) {
        return new RejectedPlugin(
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                location,
                Optional.ofNullable(cause),
                sentence);
    }

    @Override
    public String toString() {
        return sentence;
    }
}
