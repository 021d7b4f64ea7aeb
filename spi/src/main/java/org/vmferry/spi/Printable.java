package org.vmferry.spi;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;

/**
 * Text from outside as it may be shown to a person: names that a peer, a file or a neighbour in a
 * shared folder chose shall neither drive somebody's terminal nor add lines to a log, and a command
 * with them in it shall do what it seems to.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class Printable {
    private static final int ASCII = 0x80;

    private Printable() {}

    /**
     * Text on one line. Line ends and tabs become blanks; control characters, those that change the
     * direction of writing or can't be seen, and halves of surrogate pairs become '?'.
     *
     * @param text what was said; null counts as nothing
     * @return the same text where there is none of these in it
     */
    public static String line(@Nullable String text) {
        return cleaned(text, ' ', ' ');
    }

    /**
     * Text of several lines, such as a stack trace: as {@link #line}, but line feeds and tabs stay.
     *
     * @param text what was said; null counts as nothing
     * @return the same text where there is none of these in it
     */
    public static String lines(@Nullable String text) {
        return cleaned(text, '\n', '\t');
    }

    /**
     * What was thrown, as it may be logged and shown: with names in what it says, and in what its
     * causes and those beside it say, as {@link #line} has them.
     *
     * @param thrown what was thrown, or null
     * @return itself where there is nothing to clean, and null for null; else one that stands for
     *     it, with its stack trace, and with its class named in the message
     */
    public static @Nullable Throwable thrown(@Nullable Throwable thrown) {
        return PrintableThrowable.of(thrown);
    }

    /** No streams: it is also called while a guest stands still, when little is to be loaded. */
    private static String cleaned(@Nullable String text, char lineFeed, char tab) {
        if (text == null) return "";
        StringBuilder clean = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            if (c == '\n') clean.append(lineFeed);
            else if (c == '\t') clean.append(tab);
            else clean.appendCodePoint(isPlain(c) ? c : '?');
        }
        return clean.toString();
    }

    private static boolean isPlain(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR ->
                    false;
            default -> true;
        };
    }

    /**
     * One word of a command that somebody may paste into a shell: it stands for exactly this text.
     * In single quotes, which every shell knows; with characters in it that {@link #line} would
     * replace, as {@code $'...'} with octal bytes, which bash, zsh, ksh and POSIX of 2024 know. It
     * may begin with '-': the command is to have {@code --} before it.
     *
     * @param text a file's name, for example
     * @return printable
     */
    public static String shellWord(String text) {
        boolean plain = text.codePoints().allMatch(Printable::isPlain);
        if (plain) return "'" + text.replace("'", "'\\''") + "'";
        StringBuilder word = new StringBuilder("$'");
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            int c = b & 0xff;
            boolean itself = c > ' ' && c < ASCII - 1 && c != '\'' && c != '\\';
            word.append(itself ? String.valueOf((char) c) : "\\%03o".formatted(c));
        }
        return word.append('\'').toString();
    }
}
