package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmferry.engine.GuestOwner;
import org.vmferry.engine.MigrationState;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.ram.RamSection;
import org.vmferry.engine.stream.DeviceSections;
import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.stream.StreamOut;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Mode;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.RamLayout;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.TransportProvider.Outgoing;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The source's side, from connecting to the last byte. Runs on the migration thread. */
public final class Save implements Work {
    private static final Logger LOG = LoggerFactory.getLogger(Save.class);

    private final MigrationSession session;
    private final Machine machine;
    private final Parts parts;
    private final Notifications notifications;
    private final Gate gate;
    private final long began = System.nanoTime();
    private volatile SourceGuest guest;
    private volatile Outgoing to;
    private volatile boolean yanked;
    private volatile GuestOwner owner = GuestOwner.SOURCE;
    private volatile StreamOut out;
    private volatile Precopy precopy;
    private volatile Convergence convergence;
    private volatile long total;
    private volatile int pageSize;
    private volatile long setupTime; // ms
    private volatile long sentBefore;
    private volatile long sentAtPause = Long.MAX_VALUE; // until the guest is paused

    /** A save of a machine, of which these are told. */
    public Save(
            MigrationSession session,
            Machine machine,
            Parts parts,
            List<MigrationNotifier> notifiers) {
        this.session = session;
        this.machine = machine;
        this.parts = parts;
        this.notifications = new Notifications(session.name(), notifiers, mode());
        this.gate = new Gate(session);
    }

    private Mode mode() {
        String name = session.options().get(EngineOptions.MODE);
        return name.equals(Mode.CPR_REBOOT.wireName()) ? Mode.CPR_REBOOT : Mode.NORMAL;
    }

    @Override
    public void proceed() {
        gate.open();
    }

    @Override
    public void run(Stage stage) throws IOException {
        stage.enter(MigrationState.SETUP);
        List<RamBlock> blocks = List.copyOf(machine.ram().blocks());
        total = RamSection.check(blocks);
        SourceGuest source = new SourceGuest(machine);
        guest = source;
        if (source.before() != RunState.RUNNING) sentAtPause = 0;
        notifications.setUp();
        try (Outgoing end = parts.transport().outgoing(parts.address(), session.options())) {
            to = end;
            session.onFailure(end::release);
            expect(end, blocks);
            if (mode() == Mode.CPR_REBOOT) pause(source); // before any RAM is saved
            send(end, blocks, source, stage);
            complete(end);
        } catch (OutcomeUnknown e) {
            if (source.claim()) giveUp(source, e);
            throw e;
        } catch (IOException | RuntimeException | Error e) {
            session.fail(e);
            if (source.claim()) takeBack(source);
            throw e;
        }
        if (!source.claim()) throw session.failure();
        owner = toFile() ? GuestOwner.SNAPSHOT : GuestOwner.DESTINATION;
        notifications.done();
        source.giveUp(session.name());
    }

    private void complete(Outgoing end) throws IOException {
        try {
            end.complete();
        } catch (IOException e) {
            // A command that was killed may have passed everything on.
            if (yanked && !toFile()) throw new OutcomeUnknown(e);
            throw e;
        }
    }

    private boolean toFile() {
        return parts.transport().features().contains(Feature.SEEKABLE);
    }

    @Override
    public GuestOwner owner() {
        return owner;
    }

    @Override
    public boolean yank() {
        yanked = true;
        Outgoing end = to;
        if (end != null) end.release();
        return true;
    }

    @Override
    public boolean abandon(MigrationException why) {
        SourceGuest source = guest;
        if (source == null || !source.claim()) return false;
        if (precopy != null) precopy.close();
        if (convergence != null) convergence.close();
        if (session.committed() && !toFile()) {
            giveUp(source, new OutcomeUnknown(why));
        } else {
            session.fail(why);
            takeBack(source);
        }
        return true;
    }

    private void giveUp(SourceGuest source, OutcomeUnknown why) {
        source.giveUp(session.name());
        session.fail(why);
        notifications.failed(session.failure().getMessage());
    }

    private void takeBack(SourceGuest source) {
        owner = GuestOwner.SOURCE;
        notifications.failed(session.failure().getMessage());
        try {
            source.resume();
        } catch (MigrationException e) {
            session.fail(
                    new MigrationException(
                            Blame.HOST, "the guest could not be resumed: " + e.getMessage(), e));
        }
    }

    /** Asks for room for all of RAM; only if there is none, for what of it is not zero. */
    private void expect(Outgoing end, List<RamBlock> blocks) throws IOException {
        try {
            end.expect(total);
        } catch (MigrationException e) {
            long needed = 0;
            for (RamBlock block : blocks) {
                Optional<MemorySegment> memory = block.memory();
                if (memory.isEmpty()) throw e;
                for (long page = 0; page < block.pages(); page++) {
                    long offset = page * block.pageSize();
                    if (!ZeroPages.isZero(memory.get(), offset, block.pageSize()))
                        needed += block.pageSize();
                }
            }
            end.expect(needed);
        }
    }

    private void send(Outgoing end, List<RamBlock> blocks, SourceGuest source, Stage stage)
            throws IOException {
        boolean seekable = toFile();
        Layer layer = Layer.ofSource(parts.address(), session);
        Channel main = seekable ? null : layer.over(end.open());
        PageCarrier.Channels channels = new Opener(end, layer);
        try (StreamOut stream = seekable ? new StreamOut(end) : new StreamOut(main);
                RamLayout.Saver saver = parts.layout().saver(session);
                PageCarrier.Sender sender = parts.carrier().sender(channels, session);
                ReturnPath.Listener answer =
                        session.options().get(EngineOptions.RETURN_PATH)
                                ? new ReturnPath.Listener(main, session, session::committed)
                                : null) {
            out = stream;
            try {
                byte[] description = write(stream, saver, sender, blocks, source, stage);
                end(stream, description, answer, sender);
                if (main != null) endInOrder(main);
            } catch (IOException | RuntimeException | Error e) {
                // Lets go the carrier's threads, so that its close() can join them.
                session.fail(e);
                throw e;
            } finally {
                sentBefore = stream.sent(); // before: progress never goes back
                out = null;
            }
        } catch (IOException | RuntimeException | Error e) {
            if (main != null) main.release();
            throw e;
        }
    }

    /**
     * Sends the end. From its first byte on the destination may have everything: no cancel is taken
     * any more, and a link that is lost now leaves open who has the guest.
     */
    private void end(
            StreamOut stream,
            byte[] description,
            ReturnPath.Listener answer,
            PageCarrier.Sender sender)
            throws IOException {
        stream.flush(); // a link that was lost before is so before the end
        session.commit();
        if (!toFile()) owner = GuestOwner.UNKNOWN;
        try {
            DeviceSections.end(stream, description);
            stream.flush();
            if (answer == null) sender.finish();
        } catch (IOException e) {
            if (toFile()) throw e;
            if (answer == null) throw new OutcomeUnknown(e);
            LOG.debug("{}: the end was not sent whole", session.name(), e);
        }
        if (answer == null) return;
        answer.awaitOutcome();
        try {
            sender.finish();
        } catch (IOException e) {
            LOG.debug("{}: the destination has everything all the same", session.name(), e);
        }
    }

    /** Everything was sent: a peer that has all of it may be gone already, which is no failure. */
    private void endInOrder(Channel main) {
        try {
            main.shutdownOutput();
            main.close(); // waits, with TLS, until the peer has read everything
        } catch (IOException e) {
            LOG.debug("{}: {} was gone first", session.name(), main.peer(), e);
        }
    }

    /** Writes everything but the end; returns the VMDESCRIPTION that goes there. */
    private byte[] write(
            StreamOut stream,
            RamLayout.Saver saver,
            PageCarrier.Sender sender,
            List<RamBlock> blocks,
            SourceGuest source,
            Stage stage)
            throws IOException {
        sender.connect(parts.layout().placed());
        Optional<SectionStore> store = machine.sections();
        pageSize = blocks.getFirst().pageSize();
        StreamHeader.write(
                stream,
                store.isPresent()
                        ? StreamHeader.withCapabilities(
                                store.get().configuration(), session.options())
                        : StreamHeader.of(
                                machine.type(), pageSize, machine.uuid(), session.options()));
        if (session.options().get(EngineOptions.RETURN_PATH)) {
            command(stream, Wire.Command.OPEN_RETURN_PATH);
            command(stream, Wire.Command.PING, 1);
        }
        Optional<DirtyLog> log = machine.ram().dirtyLog();
        if (log.isEmpty()) pause(source);
        RamSection.Writer section = new RamSection.Writer(stream, saver, sender, session.options());
        try (Convergence judge = new Convergence(session, machine.throttle(), pageSize);
                Precopy rounds = new Precopy(session, blocks, log, sender, section, stage::round)) {
            convergence = judge;
            precopy = rounds;
            section.start(blocks);
            stream.flush(); // a destination that refuses it does so now
            setupTime = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
            stage.enter(MigrationState.ACTIVE);
            if (log.isPresent()) rounds.untilFits(judge);
            pause(source);
            session.liftBandwidth();
            if (session.options().get(EngineOptions.PAUSE_BEFORE_SWITCHOVER)) {
                stream.flush();
                stage.enter(MigrationState.PRE_SWITCHOVER);
                gate.pass(session);
            }
            stage.enter(MigrationState.DEVICE);
            rounds.last();
        }
        return store.isPresent()
                ? DeviceSections.writeKept(stream, store.get())
                : DeviceSections.write(stream, machine.devices(), source.before(), pageSize);
    }

    private void pause(SourceGuest source) throws MigrationException {
        source.pause();
        sentAtPause = Math.min(sentAtPause, transferred()); // it may have been paused before
    }

    private long transferred() {
        StreamOut stream = out;
        return (stream == null ? sentBefore : stream.sent()) + session.channelBytes();
    }

    private static void command(StreamOut out, Wire.Command command, int... payload)
            throws IOException {
        out.u8(Wire.COMMAND);
        out.u16(command.number());
        out.u16(payload.length * 4);
        for (int value : payload) out.u32(value);
    }

    @Override
    public Progress progress() {
        long sent = transferred();
        Precopy rounds = precopy;
        Convergence judge = convergence;
        SourceGuest source = guest;
        return new Progress(
                total,
                pageSize,
                sent,
                Math.max(0, sent - sentAtPause),
                rounds == null ? total : rounds.remaining(),
                rounds == null ? 0 : rounds.rounds(),
                setupTime,
                source == null ? 0 : source.downtime(),
                judge == null ? 0 : judge.expectedDowntime(),
                judge == null ? 0 : judge.dirtyPagesRate(),
                judge == null ? 0 : judge.percent());
    }

    /** Opens a carrier's channels. */
    private record Opener(Outgoing end, Layer layer) implements PageCarrier.Channels {
        @Override
        public Channel open() throws IOException {
            return layer.over(end.open());
        }

        @Override
        public Channel accept() {
            throw new UnsupportedOperationException("a source accepts no channels");
        }
    }
}
