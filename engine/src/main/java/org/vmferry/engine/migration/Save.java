package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.RamLayout;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.TransportProvider.Outgoing;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** The source's side, from connecting to the last byte. Runs on the migration thread. */
public final class Save implements Work {
    private static final Logger LOG = LoggerFactory.getLogger(Save.class);

    private final MigrationSession session;
    private final Machine machine;
    private final Parts parts;
    private volatile StreamOut out;
    private volatile Precopy precopy;
    private volatile long total;
    private volatile long pausedAt; // nanoTime; 0 while the guest was not paused by us
    private volatile long resumedAt;
    private volatile long sentBefore;
    private volatile boolean ending; // all of RAM was sent; the devices follow

    /** A save of a machine. */
    public Save(MigrationSession session, Machine machine, Parts parts) {
        this.session = session;
        this.machine = machine;
        this.parts = parts;
    }

    @Override
    public void run(Stage stage) throws IOException {
        stage.enter(MigrationState.SETUP);
        List<RamBlock> blocks = List.copyOf(machine.ram().blocks());
        total = RamSection.check(blocks);
        RunState before = machine.runState();
        try (Outgoing end = parts.transport().outgoing(parts.address(), session.options())) {
            session.onFailure(end::release);
            try {
                expect(end, blocks);
                send(end, blocks, before, stage);
                session.commit();
                end.complete();
            } catch (OutcomeUnknown e) {
                session.fail(e);
                machine.enter(RunState.POSTMIGRATE);
                throw e;
            } catch (IOException | RuntimeException | Error e) {
                session.fail(e);
                resumeAfterFailure(before);
                throw e;
            }
        }
        handOver();
    }

    /** It is complete, and the guest paused: what the host can't do now changes neither. */
    private void handOver() {
        try {
            Guest.enter(machine, RunState.POSTMIGRATE);
        } catch (MigrationException e) {
            LOG.warn(
                    "{} is complete, but its machine stays '{}'",
                    session.name(),
                    machine.runState(),
                    e);
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

    private void send(Outgoing end, List<RamBlock> blocks, RunState before, Stage stage)
            throws IOException {
        boolean seekable = parts.transport().features().contains(Feature.SEEKABLE);
        Layer layer = Layer.ofSource(parts.address(), session.options());
        Channel main = seekable ? null : layer.over(end.open());
        PageCarrier.Channels channels = new Opener(end, layer);
        try (StreamOut stream = seekable ? new StreamOut(end) : new StreamOut(main);
                RamLayout.Saver saver = parts.layout().saver(session);
                PageCarrier.Sender sender = parts.carrier().sender(channels, session);
                ReturnPath.Listener answer =
                        session.options().get(EngineOptions.RETURN_PATH)
                                ? new ReturnPath.Listener(main, session, () -> ending)
                                : null) {
            out = stream;
            try {
                write(stream, saver, sender, blocks, before, stage);
                stream.flush();
                if (answer != null) answer.awaitOutcome();
                sender.finish();
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

    /** Everything was sent: a peer that has all of it may be gone already, which is no failure. */
    private void endInOrder(Channel main) {
        try {
            main.shutdownOutput();
            main.close(); // waits, with TLS, until the peer has read everything
        } catch (IOException e) {
            LOG.debug("{}: {} was gone first", session.name(), main.peer(), e);
        }
    }

    private void write(
            StreamOut stream,
            RamLayout.Saver saver,
            PageCarrier.Sender sender,
            List<RamBlock> blocks,
            RunState before,
            Stage stage)
            throws IOException {
        sender.connect(parts.layout().placed());
        Optional<SectionStore> store = machine.sections();
        int pageSize = blocks.getFirst().pageSize();
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
        if (log.isEmpty()) pause(before);
        RamSection.Writer section = new RamSection.Writer(stream, saver, sender, session.options());
        try (Precopy rounds = new Precopy(session, blocks, log, sender, section)) {
            precopy = rounds;
            section.start(blocks);
            stage.enter(MigrationState.ACTIVE);
            if (log.isPresent())
                rounds.untilFits(session.options().get(EngineOptions.DOWNTIME_LIMIT));
            pause(before);
            session.liftBandwidth();
            stage.enter(MigrationState.DEVICE);
            rounds.last();
        }
        ending = true;
        if (store.isPresent()) DeviceSections.writeKept(stream, store.get());
        else DeviceSections.write(stream, machine.devices(), before, pageSize);
    }

    private static void command(StreamOut out, Wire.Command command, int... payload)
            throws IOException {
        out.u8(Wire.COMMAND);
        out.u16(command.number());
        out.u16(payload.length * 4);
        for (int value : payload) out.u32(value);
    }

    private void pause(RunState before) throws MigrationException {
        if (pausedAt != 0 || before != RunState.RUNNING) return;
        pausedAt = System.nanoTime();
        Guest.enter(machine, RunState.FINISH_MIGRATE);
    }

    private void resumeAfterFailure(RunState before) {
        if (pausedAt == 0) return;
        try {
            Guest.enter(machine, before);
            resumedAt = System.nanoTime();
        } catch (MigrationException e) {
            session.fail(
                    new MigrationException(
                            Blame.HOST, "the guest could not be resumed: " + e.getMessage(), e));
        }
    }

    @Override
    public Progress progress() {
        StreamOut stream = out;
        Precopy rounds = precopy;
        long sent = (stream == null ? sentBefore : stream.sent()) + session.channelBytes();
        long downtime =
                pausedAt == 0 ? 0 : (resumedAt == 0 ? System.nanoTime() : resumedAt) - pausedAt;
        return new Progress(
                total,
                sent,
                rounds == null ? total : rounds.remaining(),
                rounds == null ? 0 : rounds.rounds(),
                downtime / 1_000_000);
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
