package org.vmferry.engine.stream;

import org.vmferry.engine.stream.OpaqueSections.Open;
import org.vmferry.engine.stream.Readings.Reading;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.util.Collection;
import java.util.Optional;

/**
 * Sections that go on, and of which nobody knows where they end. Only the file as a whole tells
 * whether it can be read with them (rule STR-24): it is looked through once, when the first comes.
 */
final class UnknownSections {
    private final Session session;
    private final Optional<FileStreamIn> file;
    private final StreamReader.Handler handler;
    private long first;
    private Reading reading; // once it was looked for, if there is only one
    private MigrationException unread; // why there is none

    /** Of a stream of which nothing has come. */
    UnknownSections(Session session, StreamIn in, StreamReader.Handler handler) {
        this.session = session;
        this.file = in instanceof FileStreamIn whole ? Optional.of(whole) : Optional.empty();
        this.handler = handler;
    }

    /** Says where the first section's mark stands. */
    void from(long mark) {
        first = mark;
    }

    /**
     * Whether the whole can be read in one way.
     *
     * @param at where the first of them begins
     */
    boolean areReadable(long at) throws IOException {
        if (reading != null || unread != null || file.isEmpty()) return reading != null;
        try (FileStreamIn again = file.get().again()) {
            reading =
                    new Readings(session, again, first, handler::passBlocks, handler.ramPlaced())
                            .only(at);
        } catch (MigrationException e) {
            session.check();
            unread = e;
        }
        return reading != null;
    }

    /** Whether one begins there. */
    boolean begins(long at) throws IOException {
        if (!areReadable(at)) return false;
        // What stands there is no step: RAM's START is looked for before, and no other is one.
        int next = reading.next(at);
        return next > 0 && reading.steps().get(next - 1).end() == at;
    }

    /** The file that the stream is read from; empty for a channel. */
    Optional<FileStreamIn> file() {
        return file;
    }

    /** The only one, of what is readable. */
    Reading reading() {
        return reading;
    }

    /**
     * Why one is not taken.
     *
     * @param open what else goes on there
     */
    MigrationException refused(String name, int instance, long at, Collection<Open> open) {
        return new OpaqueSections.Uncut(
                goesOn(name, instance, at)
                        + "nothing tells where it ends, as is known of ram, "
                        + String.join(", ", Grammar.NAMES)
                        + ", and "
                        + why(open)
                        + "; of a mapped-ram file RAM can be extracted");
    }

    /** How a sentence begins of one that is not taken. */
    static String goesOn(String name, int instance, long at) {
        return "section '%s' instance %d at %d goes on while the guest runs: "
                .formatted(name, Integer.toUnsignedLong(instance), at);
    }

    private String why(Collection<Open> open) {
        if (unread != null) return unread.getMessage();
        return file.isPresent()
                ? "a section goes on that is known, %s"
                        .formatted(open.stream().map(Open::title).toList())
                : "only a whole file can be searched for it";
    }
}
