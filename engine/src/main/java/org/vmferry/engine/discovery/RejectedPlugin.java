package org.vmferry.engine.discovery;

import org.vmferry.spi.Printable;

import java.util.Optional;

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
public record RejectedPlugin(
        Optional<PluginKind> kind,
        Optional<String> provider,
        Optional<String> id,
        String location,
        Optional<Throwable> cause,
        String sentence) {
    /**
     * One that was left out.
     *
     * @param cause as for the sentence
     * @param sentence names from outside may stand in it: it is made printable
     */
    public RejectedPlugin {
        sentence = Printable.line(sentence);
        cause = cause.map(Printable::thrown);
    }

    static RejectedPlugin file(String location, Throwable cause, String sentence) {
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
