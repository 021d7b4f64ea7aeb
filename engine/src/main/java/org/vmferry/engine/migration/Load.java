package org.vmferry.engine.migration;

import org.vmferry.engine.ram.RamIn;
import org.vmferry.engine.ram.RamSection;
import org.vmferry.engine.report.DowntimePart;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.engine.stream.StreamReader;
import org.vmferry.engine.stream.Trailer;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.notifier.MigrationInfo.Direction;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.TransportEnd;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The destination's side, from the first connection to the machine's start. Runs on the migration
 * thread.
 */
public abstract sealed class Load implements MigrationSide permits FileLoad, ChannelLoad {
    final MigrationSession session;
    final LifeCycle life;
    final Migratable machine;
    final Contents contents;
    final Route route;
    private final TransportEnd end;
    private final Phases phases = new Phases();
    private final Runnable loaded;
    private final Notifications notifications;
    private Map<BlockHeader, RamBlock> blocks; // null until RAM has begun
    private List<String> notes = List.of();
    private boolean ramEnded;
    private volatile StreamIn in;
    private volatile long total;
    private volatile int pageSize;
    private volatile long receivedBefore;

    Load(
            MigrationSession session,
            Migratable machine,
            Route route,
            TransportEnd end,
            Runnable loaded) {
        this.session = session;
        this.life = session.life();
        this.machine = machine;
        this.contents = Contents.of(machine);
        this.route = route;
        this.end = end;
        this.loaded = loaded;
        Address at = end instanceof Acceptor acceptor ? acceptor.address() : route.address();
        this.notifications = Notifications.of(session, machine, Direction.INCOMING, route, at);
        session.onFailure(end::release);
    }

    @Override
    public void run(Stage stage) throws IOException {
        try (end) { // first of all: it is open already
            stage.enter(MigrationState.SETUP);
            notifications.setUp();
            try {
                load(stage);
            } catch (IOException | RuntimeException | Error e) {
                session.fail(e);
                tellEnd();
                throw e;
            }
            tellEnd();
        }
    }

    private void tellEnd() {
        if (life.isDone()) notifications.done();
        else notifications.failed(life.failure().getMessage());
    }

    /** Opens the stream, loads it, and closes it. */
    abstract void load(Stage stage) throws IOException;

    /** How pages come in such a stream; the caller's. */
    abstract RamIn ram(StreamIn in);

    /** RAM begins: takes what its pages come on. */
    void connect(RamIn ram, String machine) throws IOException {
        ram.connect(machine);
    }

    /** RAM's blocks are open. */
    void begun() throws IOException {}

    /** The source's word; {@code argument} is a PING's value. */
    void command(Wire.Command command, int argument) throws IOException {
        switch (command) {
            case OPEN_RETURN_PATH -> throw noReturnPath();
            case PING -> throw MigrationException.peer("a PING before the return path was opened");
            case SWITCHOVER_START -> {}
            default -> throw new IllegalStateException(command + " was let through");
        }
    }

    final MigrationException noReturnPath() {
        return MigrationException.peer(
                "the source wants a return path, which %s has not", route.address());
    }

    /** All sections were read: looks at what is said beside them. */
    abstract void behind(StreamReader.Whole read) throws IOException;

    /** What is said behind the stream; once it was read. */
    abstract Trailer trailer();

    /** It has everything. */
    final void begin(RunState state) throws MigrationException {
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
        tellEnd();
        return true;
    }

    /** Reads all of it. */
    final RunState read(StreamIn stream, Stage stage) throws IOException {
        in = stream;
        try (RamIn ram = ram(stream)) {
            try {
                return read(stream, ram, stage);
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

    private RunState read(StreamIn stream, RamIn ram, Stage stage) throws IOException {
        StreamHeader.Head head = StreamHeader.read(stream);
        Configuration configuration = head.configuration();
        Sections sections = new Sections(stream, configuration, ram, stage);
        StreamReader.Result read = contents.reader(session, stream, sections).read(head.next());
        phases.over(DowntimePart.DEVICE_LOAD);
        notes = read.notes();
        ramEnded = read.ramEnded();
        if (read instanceof StreamReader.Whole whole) behind(whole);
        if (blocks == null) return read.state(); // no RAM has come, and the machine takes that
        ram.finish();
        MissingRam.tell(sections.target, blocks, trailer(), session);
        return read.state();
    }

    /** What the stream's sections mean to this load. */
    private final class Sections implements StreamReader.Handler {
        private final StreamIn stream;
        private final Configuration configuration;
        private final RamIn ram;
        private final Stage stage;
        private TargetPage page;
        private RamTarget target;

        Sections(StreamIn stream, Configuration configuration, RamIn ram, Stage stage) {
            this.stream = stream;
            this.configuration = configuration;
            this.ram = ram;
            this.stage = stage;
        }

        @Override
        public void begin() throws IOException {
            StreamHeader.check(configuration, session.options());
            contents.begin(configuration, session);
            StreamHeader.checkUuid(configuration, machine.uuid());
        }

        @Override
        public void ramStart() throws IOException {
            MachineUse.requireStill(machine); // it may have been started meanwhile
            connect(ram, configuration.machine());
            page =
                    new TargetPage.Search(session, stream, configuration)
                            .settle(contents, route, ram);
            pageSize = page.size();
            target = machine.ramTarget();
            blocks =
                    RamSection.readBlocks(
                            stream, pageSize, session.options(), ram, target, session.arrived());
            for (BlockHeader block : blocks.keySet()) total += block.usedLength();
            stage.enter(MigrationState.ACTIVE);
            begun();
            ram.pages();
        }

        @Override
        public void ramPart(boolean last) throws IOException {
            session.check();
            ram.section(last);
        }

        @Override
        public boolean ramPlaced() {
            return route.layout().isPresent();
        }

        @Override
        public Map<String, Long> passBlocks(StreamIn in, int pageSize) throws IOException {
            Map<String, Long> pages = new HashMap<>();
            try (RamIn passing = ram(in)) {
                for (BlockHeader block :
                        RamSection.passBlocks(in, pageSize, session.options(), passing)) {
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
            page.check(size);
        }

        @Override
        public void command(Wire.Command command, int argument) throws IOException {
            Load.this.command(command, argument);
        }
    }

    /** What is odd about the stream, as sentences; once it was read. */
    List<String> notes() {
        return notes;
    }

    /** Whether the end of RAM was met; once the stream was read. */
    boolean ramEnded() {
        return ramEnded;
    }

    @Override
    public Progress progress() {
        StreamIn stream = in;
        long received =
                (stream == null ? receivedBefore : stream.received()) + session.channelBytes();
        return new Progress(total, pageSize, received, 0, 0, 0, 0, 0, phases.ms(), 0, 0, 0);
    }
}
