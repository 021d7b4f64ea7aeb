package org.vmferry.engine.stream;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Session;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.machine.SectionStore.Section;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

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

        /** RAM has come whole: the guest is paused at the source, whose end is near. */
        default void ramEnd() {}

        /** A command; {@code argument} is a PING's value. */
        void command(Wire.Command command, int argument) throws IOException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(StreamReader.class);
    private static final int NO_SECTION = -1;

    private final Session session;
    private final StreamIn in;
    private final Handler handler;
    private final Devices.Loader devices;
    private final Optional<SectionStore> store;
    private final OpaqueSections opaque;
    private boolean begun;
    private int ramId = NO_SECTION;
    private boolean ramEnded;
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
        this.opaque =
                new OpaqueSections(session, number -> handler.command(Wire.Command.PING, number));
    }

    /** Where what follows the RAM section begins; known once all was read. */
    public long tail() {
        return tail;
    }

    /** The first byte behind the stream; known once all was read. */
    public long end() {
        return end;
    }

    /**
     * Reads to the end.
     *
     * @param mark of the first part, which was just read
     * @return the run state that the machine is to enter
     */
    public RunState read(int mark) throws IOException {
        for (; mark != Wire.EOF; mark = in.u8()) {
            long at = in.position() - 1;
            if (!begun && (mark == Wire.START || mark == Wire.FULL)) {
                begun = true;
                handler.begin();
            }
            switch (mark) {
                case Wire.START -> start(at);
                case Wire.FULL -> {
                    if (store.isEmpty()) {
                        full();
                    } else if (opaque.read(in, ramId == NO_SECTION)) {
                        ram(opaque.ramSectionId(), opaque.ramPosition());
                    } else {
                        return finishKept();
                    }
                }
                case Wire.PART, Wire.END -> part(mark, at);
                case Wire.COMMAND -> command(at);
                default -> throw MigrationException.peer("unknown part 0x%02x at %d", mark, at);
            }
        }
        checkRamEnded(in.position() - 1);
        if (store.isPresent()) {
            throw MigrationException.peer(
                    "the stream ends at %d without any device section", in.position() - 1);
        }
        // On a channel nothing behind the end is waited for (rule STR-8).
        if (in.isFile()) skipDescription();
        return devices.finish();
    }

    private void checkRamEnded(long at) throws MigrationException {
        if (!ramEnded) {
            throw MigrationException.peer(
                    ramId == NO_SECTION
                            ? "the stream ends at %d without a RAM section"
                            : "the stream ends at %d before the RAM section does",
                    at);
        }
    }

    private RunState finishKept() throws IOException {
        checkRamEnded(in.position());
        end = opaque.end();
        RunState state = RunState.RUNNING;
        for (Section section : opaque.sections()) {
            if (section.id().equals(GlobalState.ID)) {
                if (section.payload().remaining() != GlobalState.LENGTH) {
                    throw MigrationException.peer(
                            "section '%s' has %d bytes, must be %d",
                            GlobalState.ID, section.payload().remaining(), GlobalState.LENGTH);
                }
                String name = GlobalState.name(section.payload(), in.position());
                Optional<RunState> known = RunState.of(name);
                // The section is kept as it is; here its guest stands still, whatever it means.
                if (known.isEmpty()) LOG.warn("{}: unknown run state '{}'", session.name(), name);
                state = known.orElse(RunState.PAUSED);
            }
            store.get().keep(section);
        }
        store.get().keepDescription(opaque.description());
        return state;
    }

    private void start(long at) throws IOException {
        int id = in.u32();
        String name = in.str8();
        int instance = in.u32();
        int version = in.u32();
        if (!name.equals(Wire.RAM) || instance != 0) {
            throw MigrationException.peer(
                    "section '%s' instance %d at %d goes on while the guest runs: only '%s' 0 may",
                    name, instance, at, Wire.RAM);
        }
        if (version != Wire.RAM_VERSION) {
            throw MigrationException.peer(
                    "the RAM section at %d has version %d, must be %d",
                    at, version, Wire.RAM_VERSION);
        }
        ram(id, at);
    }

    private void ram(int id, long at) throws IOException {
        if (ramId != NO_SECTION) throw MigrationException.peer("a second RAM section at %d", at);
        if (id < 0)
            throw MigrationException.peer("section id %d at %d", Integer.toUnsignedLong(id), at);
        ramId = id;
        handler.ramStart();
        footer(id);
    }

    private void part(int mark, long at) throws IOException {
        int id = in.u32();
        if (ramId == NO_SECTION || id != ramId || ramEnded) {
            throw MigrationException.peer(
                    ramEnded
                            ? "the RAM section goes on at %d after its end (section id %d)"
                            : "a part of unknown section at %d: id %d",
                    at,
                    Integer.toUnsignedLong(id));
        }
        handler.ramPart();
        ramEnded = mark == Wire.END;
        footer(id);
        tail = in.position();
        if (ramEnded) handler.ramEnd();
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
        in.bytes(MemorySegment.ofArray(new byte[length]));
        end = in.position();
    }
}
