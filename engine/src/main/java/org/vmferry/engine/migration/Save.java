package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Mode;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.notifier.MigrationInfo.Direction;
import org.vmferry.spi.ram.AvailableMemory;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.TransportEnd;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** The source's side, from connecting to the last byte. Runs on the migration thread. */
public abstract sealed class Save implements MigrationSide permits FileSave, ChannelSave {
    private static final Logger LOG = Log.of(Save.class);

    final MigrationSession session;
    final LifeCycle life;
    final Migratable machine;
    final Contents contents;
    final Route route;
    private final Notifications notifications;
    private final SwitchoverGate gate;
    private volatile SourceGuest guest;
    private volatile SourceStream stream;
    private volatile TransportEnd to;
    private volatile boolean yanked;

    Save(MigrationSession session, Migratable machine, Route route) throws MigrationException {
        MissingRam.checkLayout(session.options(), route.layout());
        this.session = session;
        this.life = session.life();
        this.machine = machine;
        this.contents = Contents.of(machine);
        this.route = route;
        this.notifications =
                Notifications.of(session, machine, Direction.OUTGOING, route, route.address());
        this.gate = new SwitchoverGate(session);
    }

    /** A save of a machine. */
    public static Save of(MigrationSession session, Migratable machine, Route route)
            throws MigrationException {
        return switch (route.transport()) {
            case FileTransport files -> new FileSave(session, machine, route, files);
            case ChannelTransport channels -> new ChannelSave(session, machine, route, channels);
        };
    }

    private Mode mode() {
        return Notifications.mode(session.options());
    }

    @Override
    public void proceed() {
        gate.open();
    }

    @Override
    public void run(Stage stage) throws IOException {
        stage.enter(MigrationState.SETUP);
        SourceGuest source = new SourceGuest(machine, life);
        guest = source;
        RamProvider ram = ram(source);
        List<RamBlock> blocks = List.copyOf(ram.blocks());
        MissingRam.checkSend(blocks, session.options(), route);
        check();
        SourceStream everything =
                new SourceStream(
                        session,
                        machine,
                        contents,
                        source,
                        gate,
                        blocks,
                        ram.dirtyLog(),
                        hasTrailer());
        stream = everything;
        contents.uuid().ifPresent(session::took);
        notifications.setUp();
        try {
            deliver(source, everything, blocks, stage);
        } catch (IOException | RuntimeException | Error e) {
            if (!life.isDone()) {
                session.fail(e);
                settle(source, e);
                throw e;
            }
            LOG.warn("{}: all was delivered, but then: {}", session.name(), e.toString());
            LOG.debug("{}: after it was delivered", session.name(), e);
        }
        source.giveUp(session.name());
        notifications.done();
        everything.tellDowntime();
    }

    /** With a dirty log, if the guest is to run on while it is sent. */
    private RamProvider ram(SourceGuest source) throws MigrationException {
        RamProvider ram = machine.ram();
        boolean runsOn = source.before() == RunState.RUNNING && mode() == Mode.NORMAL;
        if (ram.dirtyLog().isPresent() || !runsOn || !(machine instanceof Machine)) return ram;
        return new SourceRam(session.options(), session.name(), AvailableMemory.bytes())
                .logged(ram);
    }

    /** Refuses what this can't take, before anything is opened. */
    void check() throws IOException {}

    /** Whether a text of ours follows the stream. */
    abstract boolean hasTrailer();

    /** Opens the way, sends everything, and closes it. */
    abstract void deliver(
            SourceGuest source, SourceStream everything, List<RamBlock> blocks, Stage stage)
            throws IOException;

    /** From now on this end is what a failure lets go. */
    final void through(TransportEnd end) {
        to = end;
        session.onFailure(end::release);
    }

    /** Before any RAM is saved, in the mode that asks for it. */
    final void pauseFirst(SourceStream everything) throws IOException {
        if (mode() == Mode.CPR_REBOOT) everything.pause();
    }

    /** Whether the link was cut after the commit. */
    final boolean yanked() {
        return yanked;
    }

    /** Sees to the guest of a migration that fails; false if another does. */
    private boolean settle(SourceGuest source, Throwable why) {
        Optional<LifeCycle.Settled> settled = life.settle(why);
        if (settled.isEmpty()) return false;
        session.release(settled.get().releases());
        switch (settled.get().fate()) {
            case GIVEN_UP -> source.giveUp(session.name());
            case RESUMES -> {
                try {
                    source.resume();
                } catch (MigrationException e) {
                    session.fail(
                            new MigrationException(
                                    Blame.HOST,
                                    "the guest could not be resumed: " + e.getMessage(),
                                    e));
                }
            }
        }
        notifications.failed(life.failure().getMessage());
        return true;
    }

    @Override
    public void cut() {
        yanked = true;
        TransportEnd end = to;
        if (end != null) end.release();
    }

    @Override
    public boolean abandon(MigrationException why) {
        SourceGuest source = guest;
        if (source == null) return false;
        if (source.isSettled()) return true;
        if (stream != null) stream.abandon();
        if (!life.isDone()) return settle(source, why);
        if (!source.giveUp(session.name())) return false;
        notifications.done();
        return true;
    }

    @Override
    public Progress progress() {
        SourceStream sent = stream;
        return sent == null ? Progress.NONE : sent.progress();
    }
}
