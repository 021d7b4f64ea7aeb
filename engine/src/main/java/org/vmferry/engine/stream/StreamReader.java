package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Section.Kind;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Reads what follows the stream's header: RAM's sections, commands, and in its own way what else
 * there is, to the VMDESCRIPTION.
 */
public abstract sealed class StreamReader permits DeviceReader, KeptReader {
    /** What the sections and commands mean. */
    public interface Handler {
        /**
         * The first section begins: what the configuration says is to be checked now. The source
         * has said before whether it wants answers, so that it hears of what does not fit.
         */
        void begin() throws IOException;

        /** The RAM section begins: its block list follows. */
        void ramStart() throws IOException;

        /** A part of the RAM section: reads to its end mark. */
        void ramPart(boolean last) throws IOException;

        /**
         * Whether RAM's pages have their own places in a file, so that its END alone tells which.
         */
        default boolean ramPlaced() {
            return false;
        }

        /**
         * Passes over the list of blocks of what may be RAM's START, of which nothing is taken. In
         * files only, for who keeps sections.
         *
         * @param in behind the section's head; then before its first record
         * @param pageSize in bytes
         * @return how many pages each block has, if they come as records; else none
         */
        Map<String, Long> passBlocks(StreamIn in, int pageSize) throws IOException;

        /** RAM has come whole: the guest is paused at the source, whose end is near. */
        default void ramEnd() {}

        /**
         * A VMDESCRIPTION gives the page size, in bytes. RAM is all here, and nobody was told yet
         * that it is.
         */
        default void described(long pageSize) throws IOException {}

        /** A command; {@code argument} is a PING's value. */
        void command(Wire.Command command, int argument) throws IOException;
    }

    /** What was read. */
    public sealed interface Result {
        /** The run state that the machine is to enter. */
        RunState state();

        /** Whether RAM's end has come. */
        boolean ramEnded();

        /** What is odd about the stream, as sentences. */
        List<String> notes();
    }

    /**
     * All of it.
     *
     * @param tail where what follows the RAM section begins
     * @param end the first byte behind the stream
     */
    public record Whole(RunState state, List<String> notes, long tail, long end) implements Result {
        @Override
        public boolean ramEnded() {
            return true;
        }
    }

    /** RAM, of a file; what stands behind it is not known. */
    public record Lost(boolean ramEnded, List<String> notes) implements Result {
        @Override
        public RunState state() {
            return RunState.PAUSED;
        }
    }

    /** In place of a mark: all was read. */
    static final int ENDED = OpaqueSections.ENDED;

    final Session session;
    final StreamIn in;
    final Handler handler;
    final UnknownSections unknown;
    final Progress progress;
    private boolean begun;
    private long tail;
    long end; // the first byte behind the stream

    StreamReader(Session session, StreamIn in, Handler handler) {
        this.session = session;
        this.in = in;
        this.handler = handler;
        this.unknown = new UnknownSections(session, in, handler);
        this.progress = new Progress(handler, unknown);
    }

    /**
     * Reads to the end.
     *
     * @param mark of the first part, which was just read
     */
    public Result read(int mark) throws IOException {
        unknown.from(in.position() - 1);
        while (mark != Wire.EOF && mark != ENDED) mark = one(mark);
        return finish(mark);
    }

    final Result whole(RunState state, List<String> notes) {
        return new Whole(state, notes, tail, end);
    }

    /** Reads what has this mark; returns that of what follows. */
    private int one(int mark) throws IOException {
        long at = in.position() - 1;
        if (!begun && (mark == Wire.START || mark == Wire.FULL)) {
            begun = true;
            handler.begin();
        }
        switch (mark) {
            case Wire.START -> {
                if (!start(at)) return ENDED;
            }
            case Wire.FULL -> {
                return full();
            }
            case Wire.PART, Wire.END -> part(mark, at);
            case Wire.COMMAND -> command(at);
            default -> throw MigrationException.peer("unknown part 0x%02x at %d", mark, at);
        }
        return in.u8();
    }

    /** Reads FULL sections; returns the mark of what follows. */
    abstract int full() throws IOException;

    /** Begins one that isn't RAM; false if all is read then. */
    abstract boolean other(int id, String name, int instance, int version, long at)
            throws IOException;

    /** Goes on with one that isn't RAM; false if there is none of this number. */
    boolean otherPart(int mark, int id) throws IOException {
        return false;
    }

    /** One of RAM's stands here. */
    void ram(Kind kind) throws IOException {}

    /** RAM came and has no END: no guest begins on RAM of which nobody said that it is whole. */
    abstract void withoutEnd(long at) throws MigrationException;

    /** All was read, to EOF or {@link #ENDED}. */
    abstract Result finish(int mark) throws IOException;

    /**
     * A background snapshot's RAM has no END (rule STR-21); with places nothing tells its pages.
     */
    final void checkRam(long at) throws MigrationException {
        if (progress.ramEnded()) return;
        if (!progress.ramBegun()) {
            throw MigrationException.peer("the stream ends at %d without a RAM section", at);
        }
        if (handler.ramPlaced()) {
            throw MigrationException.peer(
                    "the stream ends at %d without the end of RAM, so nothing tells which pages are"
                            + " in the file: background-snapshot leaves such files with mapped-ram",
                    at);
        }
        if (!progress.ramCame()) {
            throw MigrationException.peer("the stream ends at %d before the RAM section does", at);
        }
        withoutEnd(at);
    }

    final boolean start(long at) throws IOException {
        int id = in.u32();
        String name = in.str8();
        int instance = in.u32();
        int version = in.u32();
        if (!name.equals(Wire.RAM) || instance != 0) return other(id, name, instance, version, at);
        if (version != Wire.RAM_VERSION) {
            throw MigrationException.peer(
                    "the RAM section at %d has version %d, must be %d",
                    at, Integer.toUnsignedLong(version), Wire.RAM_VERSION);
        }
        progress.beginRam(id, at);
        ram(Kind.START);
        handler.ramStart();
        footer(id);
        return true;
    }

    final void part(int mark, long at) throws IOException {
        int id = in.u32();
        boolean ends = mark == Wire.END;
        if (otherPart(mark, id)) {
            footer(id);
            return;
        }
        progress.checkRamGoesOn(id, at);
        ram(ends ? Kind.END : Kind.PART);
        handler.ramPart(ends);
        progress.ramPart();
        if (ends) progress.endRam();
        footer(id);
        tail = in.position();
        if (ends) handler.ramEnd();
    }

    final void footer(int id) throws IOException {
        long at = in.position();
        int mark = in.u8();
        if (mark != Wire.FOOTER) {
            throw MigrationException.peer(
                    "no footer but 0x%02x at %d, after section %d",
                    mark, at, Integer.toUnsignedLong(id));
        }
        int footer = in.u32();
        if (footer != id) {
            throw MigrationException.peer(
                    "the footer at %d names section %d, must be %d",
                    at, Integer.toUnsignedLong(footer), Integer.toUnsignedLong(id));
        }
    }

    final void command(long at) throws IOException {
        int number = in.u16();
        int length = in.u16();
        Wire.Command command = Wire.Command.of(number, length, at);
        if (command == Wire.Command.POSTCOPY_ADVISE) {
            // What may come, and need not: a stream that ends as pre-copy is as any other.
            in.bytes(MemorySegment.ofArray(new byte[length]));
            return;
        }
        handler.command(command, length == 4 ? in.u32() : 0);
    }

    final void described(byte[] json) throws IOException {
        OptionalLong pageSize = VmDescription.pageSize(json);
        if (pageSize.isPresent()) handler.described(pageSize.getAsLong());
    }
}
