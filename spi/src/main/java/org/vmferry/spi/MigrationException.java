package org.vmferry.spi;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Objects;

/**
 * Why a migration failed: one sentence that says what happened, to what, and what was allowed or
 * can be done, and whose fault it is.
 *
 * <p>Names that a peer or a file chose may stand in it: control characters are replaced, as {@link
 * Printable#line} does. A cause with such in it, or behind it, is replaced by one that says the
 * same cleaned ({@link Printable#thrown}).
 *
 * <p>It is an {@link IOException}, so that code which reads and writes declares one exception; an
 * {@code IOException} of any other class that reaches the engine counts as {@link Blame#TRANSPORT}.
 */
@Status(Status.Level.STABLE)
public class MigrationException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What is said where memory that stands for a file's bytes can't be reached. */
    public static final String LOST_MAPPING =
            "memory that is mapped from a file could not be reached: the file was cut short, its"
                    + " file system is full, or its disk failed";

    /** Who asks why it failed is to get an answer, whatever somebody's code has thrown. */
    private static final String UNSAID = "no reason was given";

    private static final String NO_DESCRIPTOR = "Too many open files"; // the system's words

    /** Whose fault it is. */
    private final Blame blame;

    /**
     * A failure.
     *
     * @param blame whose fault it is
     * @param message one sentence for the operator; null, as of an exception that has none, is said
     *     to be no reason
     */
    public MigrationException(Blame blame, @Nullable String message) {
        this(blame, message, null);
    }

    /**
     * A failure with its cause.
     *
     * @param blame whose fault it is
     * @param message one sentence for the operator; null, as of an exception that has none, is said
     *     to be no reason
     * @param cause what brought it about, or null
     */
    public MigrationException(Blame blame, @Nullable String message, @Nullable Throwable cause) {
        super(message == null ? UNSAID : Printable.line(message), printable(cause));
        this.blame = Objects.requireNonNull(blame, "blame");
    }

    /** Those of this type are so already, and who looks at one's blame is to find it. */
    private static @Nullable Throwable printable(@Nullable Throwable cause) {
        return cause instanceof MigrationException ? cause : Printable.thrown(cause);
    }

    /**
     * What happened.
     *
     * @return the sentence, never null
     */
    @Override
    public String getMessage() {
        return Objects.requireNonNull(super.getMessage());
    }

    /**
     * Whose fault it is.
     *
     * @return never null
     */
    public Blame blame() {
        return blame;
    }

    /**
     * What the peer sent, or the file holds, is wrong.
     *
     * @param format the sentence, as for {@link String#format}: the value met, the limit, and where
     * @param arguments its arguments
     * @return the exception, to be thrown
     */
    public static MigrationException peer(String format, @Nullable Object... arguments) {
        Objects.requireNonNull(format, "format");
        return new MigrationException(Blame.PEER, String.format(format, arguments));
    }

    /**
     * What was asked for is wrong.
     *
     * @param format the sentence, as for {@link String#format}
     * @param arguments its arguments
     * @return the exception, to be thrown
     */
    public static MigrationException user(String format, @Nullable Object... arguments) {
        Objects.requireNonNull(format, "format");
        return new MigrationException(Blame.USER, String.format(format, arguments));
    }

    /**
     * The host broke its contract, or refused.
     *
     * @param format the sentence, as for {@link String#format}
     * @param arguments its arguments
     * @return the exception, to be thrown
     */
    public static MigrationException host(String format, @Nullable Object... arguments) {
        Objects.requireNonNull(format, "format");
        return new MigrationException(Blame.HOST, String.format(format, arguments));
    }

    /**
     * What anything thrown says of a migration: itself if it is one of these; a fault in mapped
     * memory is the {@link Blame#HOST}'s, and so is a limit of its JVM or process that is too low,
     * which the sentence names; any other {@code IOException} is the {@link Blame#TRANSPORT}'s, and
     * the rest a {@link Blame#PLUGIN}'s.
     *
     * @param thrown what was thrown; an {@link UncheckedIOException} counts as its cause
     * @return the exception, to be thrown
     */
    public static MigrationException of(Throwable thrown) {
        return switch (Objects.requireNonNull(thrown, "thrown")) {
            case MigrationException e -> e;
            case UncheckedIOException e -> of(Objects.requireNonNull(e.getCause()));
            case IOException e when String.valueOf(e.getMessage()).contains(NO_DESCRIPTOR) ->
                    new MigrationException(
                            Blame.HOST,
                            "this process gets no further file descriptor: raise the system's limit"
                                    + " for them (%s)".formatted(e.getMessage()),
                            e);
            case IOException e ->
                    new MigrationException(
                            Blame.TRANSPORT,
                            e.getMessage() == null ? e.toString() : e.getMessage(),
                            e);
            // The JDK's word for a signal SIGBUS.
            case InternalError e when String.valueOf(e.getMessage()).contains("unsafe memory") ->
                    new MigrationException(Blame.HOST, LOST_MAPPING, e);
            case OutOfMemoryError e -> new MigrationException(Blame.HOST, tooLow(e), e);
            default -> new MigrationException(Blame.PLUGIN, thrown.toString(), thrown);
        };
    }

    /** Which limit it is, told by the JDK's words. */
    private static String tooLow(OutOfMemoryError error) {
        String said = String.valueOf(error.getMessage());
        if (said.contains("direct buffer memory")) {
            return "this JVM has no direct memory left: raise -XX:MaxDirectMemorySize ("
                    + said
                    + ")";
        }
        if (said.contains("thread")) {
            return "this JVM gets no further thread: raise the system's limit for them ("
                    + said
                    + ")";
        }
        if (said.contains("heap") || said.contains("array") || said.contains("GC overhead")) {
            return "this JVM has no heap left: raise -Xmx (" + said + ")";
        }
        return "this JVM has no memory left (" + said + ")";
    }
}
