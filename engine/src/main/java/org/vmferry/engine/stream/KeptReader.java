package org.vmferry.engine.stream;

import org.slf4j.Logger;
import org.vmferry.engine.stream.Readings.Reading;
import org.vmferry.engine.stream.Readings.Step;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.machine.SectionStore.Section.Kind;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.util.Optional;

/** Has all sections kept as they are, of whatever machine. */
public final class KeptReader extends StreamReader {
    private static final Logger LOG = Log.of(KeptReader.class);
    private final SectionStore store;
    private final OpaqueSections opaque;

    /**
     * A reader.
     *
     * @param store keeps the sections
     */
    public KeptReader(Session session, StreamIn in, Handler handler, SectionStore store) {
        super(session, in, handler);
        this.store = store;
        this.opaque =
                new OpaqueSections(
                        session,
                        number -> handler.command(Wire.Command.PING, number),
                        progress,
                        store.scratch());
    }

    @Override
    public Result read(int mark) throws IOException {
        try (opaque) {
            return super.read(mark);
        } catch (OpaqueSections.Uncut e) {
            return lost(e, progress.ramEnded() || progress.ramBegun() && handler.ramPlaced());
        }
    }

    @Override
    int full() throws IOException {
        return opaque.read(in);
    }

    @Override
    void withoutEnd(long at) {
        LOG.warn(
                "{}: RAM has no end in the stream, as background-snapshot leaves it",
                session.name());
        progress.endRam();
        handler.ramEnd();
    }

    /** Whoever wants what there is of a file has RAM. */
    private Result lost(MigrationException why, boolean someIsThere) throws MigrationException {
        if (!someIsThere || unknown.file().isEmpty()) throw why;
        store.lost(why);
        return new Lost(progress.ramEnded(), opaque.notes());
    }

    @Override
    Result finish(int mark) throws IOException {
        if (mark != ENDED) {
            checkRam(in.position() - 1);
            throw MigrationException.peer(
                    "the stream ends at %d without any device section", in.position() - 1);
        }
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
        return whole(keep(), opaque.notes());
    }

    private RunState keep() throws IOException {
        RunState[] state = {RunState.RUNNING};
        opaque.taken()
                .give(
                        section -> {
                            session.check(); // there may be much of it
                            if (section.id().equals(GlobalState.ID)) state[0] = state(section);
                            store.keep(section);
                        });
        store.keepDescription(opaque.description());
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

    @Override
    boolean other(int id, String name, int instance, int version, long at) throws IOException {
        Optional<Grammar> grammar = Grammar.of(name);
        if (grammar.isPresent()) {
            var section = new OpaqueSections.Open(id, name, instance, version, grammar.get());
            progress.begin(section, at);
            opaque.taken().read(in, Kind.START, Wire.START, section);
            footer(id);
            return true;
        }
        if (!progress.open().isEmpty() || !unknown.areReadable(at))
            throw unknown.refused(name, instance, at, progress.open());
        follow(at);
        return false;
    }

    /**
     * Reads on to the end as the only reading has it.
     *
     * @param at where the first unknown section begins
     */
    private void follow(long at) throws IOException {
        Reading reading = unknown.reading();
        FileStreamIn file = unknown.file().orElseThrow();
        file.seek(at);
        for (Step step : reading.from(at)) {
            between(file, step.start(), reading);
            int mark = in.u8();
            switch (mark) {
                case Wire.START -> start(step.start());
                case Wire.FULL -> opaque.taken().whole(file, step);
                default -> part(mark, step.start());
            }
        }
        between(file, reading.end().eof(), reading);
        opaque.ends(file, reading);
    }

    /** What stands between what makes a difference: parts of RAM without pages, and the unknown. */
    private void between(FileStreamIn file, long to, Reading reading) throws IOException {
        while (in.position() < to) {
            long at = in.position();
            int mark = in.u8();
            if (mark == Wire.COMMAND) {
                command(at);
            } else if (mark == Wire.PART && progress.isRam(in.peekInt())) {
                part(mark, at);
            } else {
                opaque.taken().asIs(file, at, to, reading.heads());
            }
        }
    }

    @Override
    boolean otherPart(int mark, int id) throws IOException {
        OpaqueSections.Open open = progress.open(id);
        if (open == null) return false;
        boolean ends = mark == Wire.END;
        opaque.taken().read(in, ends ? Kind.END : Kind.PART, mark, open);
        if (ends) progress.end(open);
        return true;
    }

    @Override
    void ram(Kind kind) throws MigrationException {
        opaque.taken().ram(kind);
    }
}
