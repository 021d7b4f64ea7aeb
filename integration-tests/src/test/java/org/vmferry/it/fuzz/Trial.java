package org.vmferry.it.fuzz;

import com.github.luben.zstd.ZstdException;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.io.UncheckedIOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.net.ssl.SSLException;

/** How far one input came, and how it ended. */
final class Trial {
    /** How an input ended. */
    enum End {
        TYPED,
        ACCEPTED,
        OTHER
    }

    private static final int MOST_SAID = 4000; // characters
    private static final Pattern NEGATIVE = Pattern.compile("(?<![\\w./'\"-])-\\d+");
    private static final Pattern CODE =
            Pattern.compile("\\w+(Exception|Error)\\b|\\bjava\\.|org\\.vmferry\\.[a-z]|\\tat ");

    /** These read what stands before the main stream's first section. */
    private static final Pattern BEFORE =
            Pattern.compile(".*\\.(StreamHeader|Arrivals|PeekedChannel|Handshake)(\\$.*)?");

    volatile boolean header;
    volatile boolean start;
    volatile boolean page;
    volatile boolean device;
    private End end = End.ACCEPTED;
    private String other = "";
    private String why = "";

    void begins() {
        header = true;
        start = true;
    }

    void accepted() {
        header = true;
    }

    /** It was refused, with this. */
    void failed(Throwable why) {
        this.why = String.valueOf(why.getMessage());
        if (end == End.ACCEPTED) end = End.TYPED;
        header |= !inHeader(why);
        for (Throwable each = why; each != null; each = each.getCause()) {
            if (each instanceof SSLException) break; // what is behind it is the JDK's own
            if (isFault(each)) {
                other(trace(why));
                return;
            }
        }
        if (!(why instanceof MigrationException typed)) {
            other("not of our type: " + trace(why));
            return;
        }
        if (typed.blame() == Blame.PLUGIN) other("a plug-in is blamed: " + trace(why));
        says(String.valueOf(why.getMessage()));
    }

    /** What a library says of bad data is a cause, and none of ours. */
    private static boolean isFault(Throwable thrown) {
        return switch (thrown) {
            case UncheckedIOException e -> false;
            case ZstdException e -> false;
            case RuntimeException e -> true;
            default -> thrown instanceof Error;
        };
    }

    private static boolean inHeader(Throwable why) {
        for (Throwable each = why; each != null; each = each.getCause()) {
            for (StackTraceElement frame : each.getStackTrace()) {
                if (BEFORE.matcher(frame.getClassName()).matches()) return true;
            }
        }
        return false;
    }

    private static String trace(Throwable why) {
        StringBuilder all = new StringBuilder();
        for (Throwable each = why; each != null; each = each.getCause()) {
            all.append(each);
            StackTraceElement[] frames = each.getStackTrace();
            for (int i = 0; i < Math.min(frames.length, 8); i++) {
                all.append("\n      at ").append(frames[i]);
            }
            all.append("\n    ");
        }
        return all.toString();
    }

    /** What somebody is told. */
    void says(String message) {
        if (message.isBlank()) other("it says nothing");
        if (message.length() > MOST_SAID)
            other("it says " + message.length() + " characters: " + message.substring(0, 200));
        Matcher negative = NEGATIVE.matcher(message);
        // JSON has signs of its own, and what is wrong there is shown as it stands; of a record or
        // a
        // handshake the JDK's TLS says what it says.
        if (negative.find()
                && !message.contains("VMDESCRIPTION")
                && !message.startsWith("TLS handshake with ")
                && !message.contains("Unknown content type: -"))
            other("'" + negative.group() + "' in: " + message);
        quotes(message);
    }

    /** What somebody is told in QEMU's words, which may have the input's in them. */
    void quotes(String message) {
        Matcher code = CODE.matcher(message);
        if (code.find()) other("'" + code.group() + "' in: " + message);
        shows(message);
    }

    /** What is shown of an input: any text that drives no terminal. */
    void shows(String message) {
        message.codePoints()
                .filter(one -> one != '\n' && unprintable(one))
                .findFirst()
                .ifPresent(one -> other("character %x in: %s".formatted(one, message)));
    }

    private static boolean unprintable(int one) {
        return switch (Character.getType(one)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR ->
                    true;
            default -> false;
        };
    }

    /** Something that nobody may do. */
    void other(String what) {
        if (end != End.OTHER) other = what;
        end = End.OTHER;
    }

    /** It was refused, in words that were looked at elsewhere. */
    void refused() {
        if (end == End.ACCEPTED) end = End.TYPED;
    }

    End end() {
        return end;
    }

    /** Why it was refused; empty if it was not, or in words that were looked at elsewhere. */
    String why() {
        return why;
    }

    /** What was wrong; empty if nothing was. */
    String other() {
        return other;
    }
}
