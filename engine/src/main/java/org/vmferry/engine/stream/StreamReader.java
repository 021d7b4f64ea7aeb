package org.vmferry.engine.stream;

import org.slf4j.Logger;
import org.vmferry.engine.stream.Readings.Reading;
import org.vmferry.engine.stream.Readings.Step;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.machine.SectionStore.Section.Kind;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads what follows the stream's header: sections and commands, to the VMDESCRIPTION. */
public final class StreamReader {
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
        void ramPart() throws IOException;

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
        default Map<String, Long> passBlocks(StreamIn in, int pageSize) throws IOException {
            throw new UnsupportedOperationException("RAM is read once");
        }

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

    private static final Logger LOG = Log.of(StreamReader.class);
    private final Session session;
    private final StreamIn in;
    private final Handler handler;
    private final Devices.Loader devices;
    private final Optional<SectionStore> store;
    private final OpaqueSections opaque;
    private final UnknownSections unknown;
    private final Progress progress;
    private boolean begun;
    private long tail;
    private long end;

    /**
     * A reader.
     *
     * @param devices the machine's; none if it keeps sections
     * @param store keeps the sections, for a machine that does
     */
    public StreamReader(
            Session session,
            StreamIn in,
            Handler handler,
            List<DeviceState> devices,
            Optional<SectionStore> store) {
        this.session = session;
        this.in = in;
        this.handler = handler;
        this.devices = new Devices.Loader(devices);
        this.store = store;
        this.unknown = new UnknownSections(session, in, handler);
        this.progress = new Progress(handler, unknown);
        this.opaque =
                new OpaqueSections(
                        session,
                        number -> handler.command(Wire.Command.PING, number),
                        progress,
                        store.map(SectionStore::scratch).orElse(Path.of("")));
    }

    /**
     * Reads to the end.
     *
     * @param mark of the first part, which was just read
     */
    public Result read(int mark) throws IOException {
        try (opaque) {
            return readOn(mark);
        } catch (OpaqueSections.Uncut e) {
            return lost(e, progress.ramEnded() || progress.ramBegun() && handler.ramPlaced());
        }
    }

    private Result readOn(int mark) throws IOException {
        unknown.from(in.position() - 1);
        while (mark != Wire.EOF) {
            long at = in.position() - 1;
            if (!begun && (mark == Wire.START || mark == Wire.FULL)) {
                begun = true;
                handler.begin();
            }
            int next = OpaqueSections.ENDED;
            switch (mark) {
                case Wire.START -> {
                    if (!start(at)) return follow(at);
                }
                case Wire.FULL -> {
                    if (store.isEmpty()) {
                        full();
                    } else {
                        next = opaque.read(in);
                        if (next == OpaqueSections.ENDED) return finishKept();
                    }
                }
                case Wire.PART, Wire.END -> part(mark, at);
                case Wire.COMMAND -> command(at);
                default -> throw MigrationException.peer("unknown part 0x%02x at %d", mark, at);
            }
            mark = next == OpaqueSections.ENDED ? in.u8() : next;
        }
        checkRam(in.position() - 1);
        if (store.isPresent()) {
            throw MigrationException.peer(
                    "the stream ends at %d without any device section", in.position() - 1);
        }
        // On a channel nothing behind the end is waited for (rule STR-8).
        if (in.isFile()) skipDescription();
        return whole(devices.finish());
    }

    /**
     * A background snapshot's RAM has no END (rule STR-21); with places nothing tells its pages. No
     * guest begins here on RAM of which nobody has said that it is whole.
     */
    private void checkRam(long at) throws MigrationException {
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
        if (store.isEmpty() && progress.ramCame()) {
            throw MigrationException.peer(
                    "the stream ends at %d without the end of RAM, as background-snapshot leaves"
                            + " it; 'vmferry convert' makes a whole one of such a file",
                    at);
        }
        if (!progress.ramCame()) {
            throw MigrationException.peer("the stream ends at %d before the RAM section does", at);
        }
        LOG.warn(
                "{}: RAM has no end in the stream, as background-snapshot leaves it",
                session.name());
        progress.endRam();
        handler.ramEnd();
    }

    /** Whoever wants what there is of a file has RAM. */
    private Result lost(MigrationException why, boolean someIsThere) throws MigrationException {
        if (!someIsThere || !in.isFile()) throw why;
        store.get().lost(why);
        return new Lost(progress.ramEnded(), opaque.notes());
    }

    private Result whole(RunState state) {
        return new Whole(state, opaque.notes(), tail, end);
    }

    private Result finishKept() throws IOException {
        end = opaque.end();
        if (progress.ramEnded()) {
            for (OpaqueSections.Open each : progress.open()) {
                opaque.note("section '%s' has begun and has no end".formatted(each.name()));
            }
        }
        if (!progress.ramBegun()) {
            keep();
            return lost(
                    MigrationException.user(
                            "there is no RAM in it, but devices only, as xen-save-devices-state"
                                    + " writes them"),
                    true);
        }
        try {
            checkRam(in.position());
        } catch (MigrationException e) {
            keep();
            return lost(e, handler.ramPlaced());
        }
        described(opaque.description());
        return whole(keep());
    }

    private RunState keep() throws IOException {
        RunState[] state = {RunState.RUNNING};
        opaque.taken()
                .give(
                        section -> {
                            session.check(); // there may be much of it
                            if (section.id().equals(GlobalState.ID)) state[0] = state(section);
                            store.get().keep(section);
                        });
        store.get().keepDescription(opaque.description());
        return state[0];
    }

    private RunState state(Section section) throws MigrationException {
        if (section.payload().remaining() != GlobalState.LENGTH) {
            throw MigrationException.peer(
                    "section '%s' has %d bytes, must be %d",
                    GlobalState.ID, section.payload().remaining(), GlobalState.LENGTH);
        }
        String name = GlobalState.name(section.payload(), in.position());
        Optional<RunState> known = RunState.of(name);
        // The section is kept as it is; here its guest stands still, whatever it means.
        if (known.isEmpty()) LOG.warn("{}: unknown run state '{}'", session.name(), name);
        return known.orElse(RunState.PAUSED);
    }

    /** Begins a section; false if it is unknown, and the file can be read all the same. */
    private boolean start(long at) throws IOException {
        int id = in.u32();
        String name = in.str8();
        int instance = in.u32();
        int version = in.u32();
        Optional<Grammar> grammar = store.isEmpty() ? Optional.empty() : Grammar.of(name);
        if (grammar.isPresent()) {
            var section = new OpaqueSections.Open(id, name, instance, version, grammar.get());
            progress.begin(section, at);
            opaque.taken().read(in, Kind.START, Wire.START, section);
            footer(id);
            return true;
        }
        if (!name.equals(Wire.RAM) || instance != 0) {
            if (store.isPresent() && progress.open().isEmpty() && unknown.areReadable(at))
                return false;
            throw unknown.refused(name, instance, at, store.isPresent(), progress.open());
        }
        if (version != Wire.RAM_VERSION) {
            throw MigrationException.peer(
                    "the RAM section at %d has version %d, must be %d",
                    at, version, Wire.RAM_VERSION);
        }
        progress.beginRam(id, at);
        opaque.taken().ram(Kind.START);
        handler.ramStart();
        footer(id);
        return true;
    }

    /**
     * Reads on to the end as the only reading has it.
     *
     * @param at where the first unknown section begins
     */
    private Result follow(long at) throws IOException {
        Reading reading = unknown.reading();
        in.seek(at);
        for (Step step : reading.from(at)) {
            between(step.start(), reading);
            int mark = in.u8();
            switch (mark) {
                case Wire.START -> start(step.start());
                case Wire.FULL -> opaque.taken().whole(in, step);
                default -> part(mark, step.start());
            }
        }
        between(reading.end().eof(), reading);
        opaque.ends(in, reading);
        return finishKept();
    }

    /** What stands between what makes a difference: parts of RAM without pages, and the unknown. */
    private void between(long to, Reading reading) throws IOException {
        while (in.position() < to) {
            long at = in.position();
            int mark = in.u8();
            if (mark == Wire.COMMAND) {
                command(at);
            } else if (mark == Wire.PART && progress.isRam(in.peekInt())) {
                part(mark, at);
            } else {
                opaque.taken().asIs(in, at, to, reading.heads());
            }
        }
    }

    private void part(int mark, long at) throws IOException {
        int id = in.u32();
        boolean ends = mark == Wire.END;
        OpaqueSections.Open other = progress.open(id);
        if (other != null) {
            opaque.taken().read(in, ends ? Kind.END : Kind.PART, mark, other);
            if (ends) progress.end(other);
            footer(id);
            return;
        }
        progress.checkRamGoesOn(id, at);
        opaque.taken().ram(ends ? Kind.END : Kind.PART);
        handler.ramPart();
        progress.ramPart();
        if (ends) progress.endRam();
        footer(id);
        tail = in.position();
        if (ends) handler.ramEnd();
    }

    private void full() throws IOException {
        int id = in.u32();
        String name = in.str8();
        int instance = in.u32();
        int version = in.u32();
        devices.load(in, name, instance, version);
        footer(id);
    }

    private void footer(int id) throws IOException {
        long at = in.position();
        int mark = in.u8();
        if (mark != Wire.FOOTER) {
            throw MigrationException.peer(
                    "no footer but 0x%02x at %d, after section %d", mark, at, id);
        }
        int footer = in.u32();
        if (footer != id) {
            throw MigrationException.peer(
                    "the footer at %d names section %d, must be %d", at, footer, id);
        }
    }

    private void command(long at) throws IOException {
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

    private void skipDescription() throws IOException {
        end = in.position();
        if (in.atEnd()) {
            LOG.warn("{}: the stream ends without a VMDESCRIPTION", session.name());
            return;
        }
        long at = in.position();
        int mark = in.u8();
        if (mark != Wire.VMDESCRIPTION) {
            LOG.warn(
                    "{}: the stream is followed at {} by 0x{}, no VMDESCRIPTION",
                    session.name(),
                    at,
                    Integer.toHexString(mark));
            return;
        }
        int length = in.u32();
        if (length < 0 || length > VmDescription.LONGEST) {
            throw MigrationException.peer(
                    "the VMDESCRIPTION at %d has %d bytes, allowed are %d",
                    at, Integer.toUnsignedLong(length), VmDescription.LONGEST);
        }
        byte[] json = new byte[length];
        in.bytes(MemorySegment.ofArray(json));
        end = in.position();
        described(json);
    }

    private void described(byte[] json) throws IOException {
        OptionalLong pageSize = VmDescription.pageSize(json);
        if (pageSize.isPresent()) handler.described(pageSize.getAsLong());
    }
}
