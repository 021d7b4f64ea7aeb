package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.ram.RamSection;
import org.vmferry.engine.report.DowntimePart;
import org.vmferry.engine.report.MigrationState;
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
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
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
public final class Load implements MigrationSide {
    private static final Logger LOG = Log.of(Load.class);

    private final MigrationSession session;
    private final LifeCycle life;
    private final Machine machine;
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
            Machine machine,
            Parts parts,
            IncomingFile file,
            Runnable loaded)
            throws MigrationException {
        this.session = session;
        this.life = session.life();
        this.machine = machine;
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
            Machine machine,
            Parts parts,
            Acceptor acceptor,
            Set<Feature> offered,
            Runnable loaded)
            throws MigrationException {
        this.session = session;
        this.life = session.life();
        this.machine = machine;
        this.parts = parts;
        this.loaded = loaded;
        this.end = acceptor;
        this.offered = offered;
        ChannelSecurity layer = ChannelSecurity.ofDestination(session);
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

    private void load(Acceptor acceptor, ChannelSecurity layer, Stage stage) throws IOException {
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
        StreamHeader.Head head = StreamHeader.read(stream);
        Configuration configuration = head.configuration();
        boolean keeps = machine.sections().isPresent();
        TargetPage[] page = new TargetPage[1];
        StreamReader.Handler handler =
                new StreamReader.Handler() {
                    @Override
                    public void begin() throws IOException {
                        StreamHeader.check(configuration, session.options());
                        if (keeps) keep(configuration);
                        else checkMachine(configuration);
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
                                        .settle(machine, parts, loader);
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
        List<DeviceState> devices = keeps ? List.of() : machine.devices();
        StreamReader.Result read =
                new StreamReader(session, stream, handler, devices, machine.sections())
                        .read(head.next());
        phases.over(DowntimePart.DEVICE_LOAD);
        notes = read.notes();
        ramEnded = read.ramEnded();
        if (stream.isFile() && read instanceof StreamReader.Whole whole) readTrailer(stream, whole);
        if (keeps && !stream.isFile()) keepMet();
        if (blocks == null) return read.state(); // no RAM has come, and the machine takes that
        receiver.finish();
        MissingRam.tell(target, blocks, trailer, session);
        return read.state();
    }

    /** What the source's channels said of its machine is in no section. */
    private void keepMet() throws IOException {
        UUID met = session.uuid();
        if (machine.uuid().isPresent() || met.equals(StreamHeader.NO_UUID)) return;
        machine.sections().get().keepFacts(List.of(Trailer.fact(met)));
    }

    private void keep(Configuration configuration) throws IOException {
        machine.sections().get().keep(configuration);
        if (machine.uuid().isPresent()) return;
        session.takeUuid();
        StreamHeader.uuid(configuration).ifPresent(session::took);
    }

    private void readTrailer(StreamIn stream, StreamReader.Whole whole) throws IOException {
        trailer = Trailer.read(stream.file(false), whole.tail(), whole.end());
        if (trailer.damage().isPresent()) {
            LOG.warn(
                    "{}: {}: what it said is lost: which RAM is missing, and more",
                    session.name(),
                    trailer.damage().get());
        }
        if (machine.sections().isPresent()) machine.sections().get().keepFacts(trailer.facts());
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

    private void checkMachine(Configuration configuration) throws MigrationException {
        if (!configuration.machine().isEmpty() && !configuration.machine().equals(machine.type())) {
            throw MigrationException.user(
                    "the stream is of a machine '%s', this one is '%s'",
                    configuration.machine(), machine.type());
        }
    }

    @Override
    public Progress progress() {
        StreamIn stream = in;
        long received =
                (stream == null ? receivedBefore : stream.received()) + session.channelBytes();
        return new Progress(total, pageSize, received, 0, 0, 0, 0, 0, phases.ms(), 0, 0, 0);
    }
}
