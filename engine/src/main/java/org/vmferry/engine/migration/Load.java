package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.DowntimePart;
import org.vmferry.engine.MigrationState;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.ram.RamSection;
import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.engine.stream.StreamReader;
import org.vmferry.engine.stream.Trailer;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.Feature;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.RamLayout;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.TransportEnd;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * The destination's side, from the first connection to the machine's start. Runs on the migration
 * thread.
 */
public final class Load implements Work {
    private static final Logger LOG = Log.of(Load.class);

    private final MigrationSession session;
    private final LifeCycle life;
    private final Migratable machine;
    private final Contents contents;
    private final Parts parts;
    private final TransportEnd end;
    private final Way way;
    private final Set<Feature> offered; // by the source's way
    private final Phases phases = new Phases();
    private final Runnable loaded;
    private Answers answers; // once the source has opened the return path
    private Warmth warmth; // null for a file, whose guest stands still anyway
    private RamTarget target;
    private Map<BlockHeader, RamBlock> blocks;
    private Trailer trailer = Trailer.NONE;
    private List<String> notes = List.of();
    private boolean ramEnded;
    private volatile StreamIn in;
    private volatile long total;
    private volatile int pageSize;
    private volatile long receivedBefore;

    /** What opens the stream, loads it, and closes it. */
    private interface Way {
        void load(Stage stage) throws IOException;
    }

    /**
     * A load into a machine, from a file that is open; once it runs, it closes that.
     *
     * @param loaded called when all has come, before the machine enters its state
     */
    public Load(
            MigrationSession session,
            Migratable machine,
            Parts parts,
            IncomingFile file,
            Runnable loaded)
            throws MigrationException {
        this.session = session;
        this.life = session.life();
        this.machine = machine;
        this.contents = Contents.of(machine);
        this.parts = parts;
        this.loaded = loaded;
        this.end = file;
        this.offered = Set.of();
        this.way = stage -> load(file, stage);
        session.onFailure(file::release);
    }

    /**
     * As above, from a source that this listens for already.
     *
     * @param offered what its channels can
     */
    public Load(
            MigrationSession session,
            Migratable machine,
            Parts parts,
            Acceptor acceptor,
            Set<Feature> offered,
            Runnable loaded)
            throws MigrationException {
        this.session = session;
        this.life = session.life();
        this.machine = machine;
        this.contents = Contents.of(machine);
        this.parts = parts;
        this.loaded = loaded;
        this.end = acceptor;
        this.offered = offered;
        Layer layer = Layer.ofDestination(session);
        this.way = stage -> load(acceptor, layer, stage);
        session.onFailure(acceptor::release);
    }

    @Override
    public void run(Stage stage) throws IOException {
        try (end) { // first of all: it is open already
            stage.enter(MigrationState.SETUP);
            way.load(stage);
        }
    }

    /** It has everything. */
    private void begin(RunState state) throws MigrationException {
        life.commit(); // not before the plug-ins are closed, so that who hangs there can be yanked
        life.starts();
        try {
            MachineUse.requireStill(machine);
            loaded.run();
            machine.enter(state);
            phases.over(DowntimePart.START);
        } catch (IOException | RuntimeException | Error e) {
            session.release(life.didNotStart(e));
            session.fail(e); // waits until it was said, while there is a connection to say so
            throw e;
        }
        life.runsHere();
    }

    @Override
    public void cut() {
        end.release();
    }

    /** The machine was not started, and that it has failed keeps it so; or it runs already. */
    @Override
    public boolean abandon(MigrationException why) {
        if (life.committed() && !life.isDone() && life.failure() == null) return false;
        session.release(life.fail(why));
        return true;
    }

    private void load(IncomingFile file, Stage stage) throws IOException {
        try (StreamIn stream = new StreamIn(file)) {
            begin(read(stream, null, null, stage));
        }
    }

    private void load(Acceptor acceptor, Layer layer, Stage stage) throws IOException {
        boolean many = offered.contains(Feature.MANY_CHANNELS);
        try (Warmth warmth = new Warmth(session);
                Silence silence = new Silence(session);
                Arrivals arrivals =
                        new Arrivals(
                                session,
                                acceptor,
                                parts.carrier().channelMagic(),
                                raw -> layer.over(silence.noticed(raw)),
                                many);
                Channel main = arrivals.main();
                StreamIn stream = new StreamIn(main)) {
            this.warmth = warmth;
            RunState state = read(stream, main, arrivals, stage);
            silence.patient();
            try (Answers.Alive _ = answers == null ? null : answers.alive()) {
                begin(state);
            }
            try (Farewell farewell = new Farewell(session.name(), main, stream)) {
                // The source gives the guest up at this word: it comes when the guest is here.
                if (answers != null) answers.begun();
                farewell.readToTheEnd();
            }
        }
    }

    private void command(Wire.Command command, int argument, Channel main) throws IOException {
        switch (command) {
            case OPEN_RETURN_PATH -> {
                if (!offered.contains(Feature.RETURN_PATH)) {
                    throw MigrationException.peer(
                            "the source wants a return path, which %s has not", parts.address());
                }
                if (answers != null)
                    throw MigrationException.peer("the return path is opened twice");
                answers = new Answers(session.name(), main);
                life.hears();
                session.onFailure(() -> answers.failed(life.failure()));
            }
            case PING -> {
                if (answers == null) {
                    throw MigrationException.peer("a PING before the return path was opened");
                }
                answers.pong(argument);
            }
            case SWITCHOVER_START -> {}
            default -> throw new IllegalStateException(command + " was let through");
        }
    }

    private RunState read(StreamIn stream, Channel main, Arrivals arrivals, Stage stage)
            throws IOException {
        in = stream;
        try (Quiet _ = main == null ? null : new Quiet(session, main, stream);
                RamLayout.Loader loader = parts.layout().loader(session);
                PageCarrier.Receiver receiver =
                        parts.carrier().receiver(parts.layout().placed(), session)) {
            try {
                return read(stream, main, arrivals, loader, receiver, stage);
            } catch (IOException | RuntimeException | Error e) {
                // Lets go the carrier's threads, so that its close() can join them.
                session.fail(e);
                throw e;
            }
        } finally {
            receivedBefore = stream.received(); // before: progress never goes back
            in = null;
        }
    }

    private RunState read(
            StreamIn stream,
            Channel main,
            Arrivals arrivals,
            RamLayout.Loader loader,
            PageCarrier.Receiver receiver,
            Stage stage)
            throws IOException {
        int[] mark = new int[1];
        Configuration configuration = StreamHeader.read(stream, mark);
        TargetPage[] page = new TargetPage[1];
        StreamReader.Handler handler =
                new StreamReader.Handler() {
                    @Override
                    public void begin() throws IOException {
                        StreamHeader.check(configuration, session.options());
                        contents.begin(configuration, session);
                        StreamHeader.checkUuid(configuration, machine.uuid());
                    }

                    @Override
                    public void ramStart() throws IOException {
                        MachineUse.requireStill(machine); // it may have been started meanwhile
                        if (warmth != null) warmth.await(); // its guest still runs
                        // Not before: a source that waits for an answer has had it.
                        if (arrivals != null) arrivals.admit(receiver);
                        receiver.connect(configuration.machine());
                        if (arrivals != null) arrivals.admitted();
                        page[0] =
                                new TargetPage.Search(session, stream, configuration)
                                        .settle(contents, parts, loader);
                        pageSize = page[0].size();
                        target = machine.ramTarget();
                        blocks =
                                RamSection.readBlocks(
                                        stream,
                                        pageSize,
                                        session.options(),
                                        loader,
                                        target,
                                        receiver);
                        if (arrivals != null) arrivals.begun();
                        for (BlockHeader block : blocks.keySet()) total += block.usedLength();
                        stage.enter(MigrationState.ACTIVE);
                        if (answers != null && session.options().get(EngineOptions.SWITCHOVER_ACK))
                            answers.ready();
                        loader.section(stream, receiver);
                    }

                    @Override
                    public void ramPart() throws IOException {
                        session.check();
                        loader.section(stream, receiver);
                    }

                    @Override
                    public boolean ramPlaced() {
                        return parts.layout().placed();
                    }

                    @Override
                    public Map<String, Long> passBlocks(StreamIn in, int pageSize)
                            throws IOException {
                        Map<String, Long> pages = new HashMap<>();
                        try (RamLayout.Loader passing = parts.layout().loader(session)) {
                            for (BlockHeader block :
                                    RamSection.passBlocks(
                                            in, pageSize, session.options(), passing)) {
                                pages.put(block.id(), block.usedLength() / pageSize);
                            }
                        }
                        return ramPlaced() ? Map.of() : pages;
                    }

                    @Override
                    public void ramEnd() {
                        life.ramEnded();
                        phases.begin();
                    }

                    @Override
                    public void described(long size) throws IOException {
                        page[0].check(size);
                    }

                    @Override
                    public void command(Wire.Command command, int argument) throws IOException {
                        Load.this.command(command, argument, main);
                    }
                };
        StreamReader reader = contents.reader(session, stream, handler);
        RunState state = reader.read(mark[0]);
        phases.over(DowntimePart.DEVICE_LOAD);
        notes = reader.notes();
        ramEnded = reader.ramEnded();
        if (stream.isFile() && !reader.lost()) readTrailer(stream, reader);
        UUID met = session.uuid(); // by the source's channels
        if (!stream.isFile() && machine.uuid().isEmpty() && !met.equals(StreamHeader.NO_UUID))
            contents.keep(List.of(Trailer.fact(met)));
        if (blocks == null) return state; // no RAM has come, and the machine takes that
        receiver.finish();
        MissingRam.tell(target, blocks, trailer, session);
        return state;
    }

    private void readTrailer(StreamIn stream, StreamReader reader) throws IOException {
        trailer = Trailer.read(stream.file(false), reader.tail(), reader.end());
        if (trailer.damage().isPresent()) {
            LOG.warn(
                    "{}: {}: what it said is lost: which RAM is missing, and more",
                    session.name(),
                    trailer.damage().get());
        }
        contents.keep(trailer.facts());
    }

    /** What is odd about the stream, as sentences; once it was read. */
    List<String> notes() {
        return notes;
    }

    /** Whether the end of RAM was met; once the stream was read. */
    boolean ramEnded() {
        return ramEnded;
    }

    /** What the file says behind the stream; once it was read. */
    Trailer trailer() {
        return trailer;
    }

    @Override
    public Progress progress() {
        StreamIn stream = in;
        long received =
                (stream == null ? receivedBefore : stream.received()) + session.channelBytes();
        return new Progress(total, pageSize, received, 0, 0, 0, 0, 0, phases.ms(), 0, 0, 0);
    }
}
