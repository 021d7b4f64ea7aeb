package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.DowntimePart;
import org.vmferry.engine.GuestOwner;
import org.vmferry.engine.MigrationState;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.stream.DeviceSections;
import org.vmferry.engine.stream.KeptSections;
import org.vmferry.engine.stream.StreamOut;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Feature;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Mode;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.RamLayout;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.TransportProvider.Outgoing;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** The source's side, from connecting to the last byte. Runs on the migration thread. */
public final class Save implements Work {
    private static final Logger LOG = Log.of(Save.class);

    private static final long STEP = 1 << 20;

    private final MigrationSession session;
    private final LifeCycle life;
    private final Machine machine;
    private final Parts parts;
    private final Notifications notifications;
    private final Gate gate;
    private final boolean toFile; // asked once: nothing foreign is called as the end is sent
    private volatile SourceGuest guest;
    private volatile SourceStream stream;
    private volatile Outgoing to;
    private volatile boolean yanked;
    private LateWord word; // the migration's thread's own

    /** A save of a machine, of which these are told. */
    public Save(
            MigrationSession session,
            Machine machine,
            Parts parts,
            List<MigrationNotifier> notifiers)
            throws MigrationException {
        MissingRam.checkLayout(session.options(), parts.layout());
        this.session = session;
        this.life = session.life();
        this.machine = machine;
        this.parts = parts;
        this.notifications = new Notifications(session.name(), notifiers, mode());
        this.gate = new Gate(session);
        this.toFile = parts.transport().features().contains(Feature.SEEKABLE);
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
        SourceGuest source = new SourceGuest(machine, life);
        guest = source;
        MissingRam.checkSend(blocks, session.options(), parts);
        checkAsIs();
        SourceStream everything = new SourceStream(session, machine, source, gate, blocks, toFile);
        stream = everything;
        if (machine.sections().isPresent()) MachineUuid.of(machine).ifPresent(session::took);
        notifications.setUp();
        Outgoing end = parts.transport().outgoing(parts.address(), session.options());
        try (LateWord late = new LateWord(session, source, end)) {
            word = late;
            to = end;
            session.onFailure(end::release);
            expect(end, everything.total(), blocks);
            if (mode() == Mode.CPR_REBOOT) everything.pause(); // before any RAM is saved
            send(end, everything, stage);
            if (!life.isDone()) complete(end);
            if (toFile) everything.over(DowntimePart.LINK);
        } catch (IOException | RuntimeException | Error e) {
            if (!life.isDone()) {
                session.fail(e);
                settle(source, e);
                throw e;
            }
            LOG.warn("{}: all was delivered, but then: {}", session.name(), e.toString(), e);
        }
        source.giveUp(session.name());
        notifications.done();
        everything.tellDowntime();
    }

    private void complete(Outgoing end) throws IOException {
        try {
            end.complete();
        } catch (MigrationException e) {
            // A command that was killed may have passed everything on; one that failed has not.
            if (yanked || toFile || e.blame() == Blame.PLUGIN) throw e;
            throw new Refused(e);
        }
        life.delivered();
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
    public void hearOut(MachineUse use, Consumer<GuestOwner> corrected) {
        if (word != null) word.hear(use, corrected);
    }

    @Override
    public void cut() {
        yanked = true;
        Outgoing end = to;
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

    /** Asks for room for all of RAM; only if there is none, for what of it is not zero. */
    private void expect(Outgoing end, long total, List<RamBlock> blocks) throws IOException {
        try {
            end.expect(total);
        } catch (MigrationException e) {
            // A zero page is a record of a plain stream all the same.
            int page = parts.layout().placed() ? 0 : Wire.ZERO_BYTES;
            long needed = 0;
            for (RamBlock block : blocks)
                if (!block.missing()) needed += notZero(block) + block.pages() * page;
            end.expect(needed);
        }
    }

    private long notZero(RamBlock block) throws MigrationException {
        int size = block.pageSize();
        long bytes = 0;
        try (Arena arena = Arena.ofConfined()) {
            Optional<MemorySegment> memory = block.memory();
            MemorySegment copy = memory.isEmpty() ? arena.allocate(size) : null;
            for (long from = 0; from < block.usedLength(); from += STEP) {
                session.check();
                long to = Math.min(from + STEP, block.usedLength());
                if (block.isKnownZero(from, to - from)) continue;
                for (long offset = from; offset < to; offset += size) {
                    if (copy != null) block.read(offset, copy);
                    boolean zero =
                            copy == null
                                    ? ZeroPages.isZero(memory.get(), offset, size)
                                    : ZeroPages.isZero(copy, 0, size);
                    if (!zero) bytes += size;
                }
            }
        }
        return bytes;
    }

    private void send(Outgoing end, SourceStream everything, Stage stage) throws IOException {
        try (Silence silence = new Silence(session)) {
            send(end, silence, everything, stage);
        }
    }

    /** With multifd the end of a part of RAM may mean more than that. */
    private void checkAsIs() throws IOException {
        boolean many = !toFile && parts.carrier().channelMagic() != 0;
        if (many && machine.sections().isPresent() && KeptSections.asIs(machine.sections().get())) {
            throw MigrationException.user(
                    "the machine has sections that are carried as they are, because nothing is"
                            + " known of what is in them: it can't be sent with multifd, but"
                            + " without");
        }
    }

    private void send(Outgoing end, Silence silence, SourceStream everything, Stage stage)
            throws IOException {
        Layer secure = Layer.ofSource(parts.address(), session);
        Layer layer = raw -> silence.over(secure.over(silence.noticed(raw)));
        Channel main = toFile ? null : layer.over(end.open());
        Opener channels = new Opener(end, layer);
        try (Ending ending = new Ending(session, end);
                StreamOut out = toFile ? new StreamOut(end) : new StreamOut(main);
                RamLayout.Saver saver = parts.layout().saver(session);
                PageCarrier.Sender sender =
                        parts.carrier().sender(parts.layout().placed(), channels, session);
                AnswerListener answer =
                        session.options().get(EngineOptions.RETURN_PATH)
                                ? new AnswerListener(main, session, silence)
                                : null) {
            try {
                sender.connect();
                byte[] description = everything.write(out, saver, sender, answer, stage);
                if (!end(out, description, answer, sender, silence, ending)) {
                    OutcomeUnknown why = answer.silent();
                    if (word.keep(answer, why)) session.release(channels.releases());
                    throw why;
                }
                if (main != null) ending.end(main);
            } catch (IOException | RuntimeException | Error e) {
                // Lets go the carrier's threads, so that its close() can join them.
                session.fail(e);
                throw e;
            }
        } catch (IOException | RuntimeException | Error e) {
            if (main != null && !word.isKept()) main.release();
            throw e;
        }
    }

    /**
     * Sends the end. From its first byte on the destination may have everything: no cancel is taken
     * any more, and a link that is lost now leaves open who has the guest.
     *
     * @return false if the destination does not say in time how it went
     */
    private boolean end(
            StreamOut out,
            byte[] description,
            AnswerListener answer,
            PageCarrier.Sender sender,
            Silence silence,
            Ending ending)
            throws IOException {
        out.flush(); // a link that was lost before is so before the end
        life.commit();
        silence.patient();
        try {
            DeviceSections.end(out, description);
            if (toFile) stream.writeTrailer(out);
            out.flush();
            if (answer == null) {
                if (!toFile) stream.over(null); // goodbyes hold up no guest
                sender.finish();
            }
        } catch (IOException e) {
            if (toFile) throw e;
            if (answer == null) throw new OutcomeUnknown(e);
            LOG.debug("{}: the end was not sent whole", session.name(), e);
        }
        if (answer == null) return true;
        if (!answer.awaitOutcome()) return false;
        life.delivered();
        stream.over(DowntimePart.START);
        ending.bound();
        try {
            sender.finish();
        } catch (IOException e) {
            LOG.debug("{}: the destination has everything all the same", session.name(), e);
        }
        return true;
    }

    @Override
    public Progress progress() {
        SourceStream sent = stream;
        return sent == null ? Progress.NONE : sent.progress();
    }

    /** Opens a carrier's channels. */
    private record Opener(Outgoing end, Layer layer, List<Channel> opened)
            implements PageCarrier.Channels {
        Opener(Outgoing end, Layer layer) {
            this(end, layer, new CopyOnWriteArrayList<>());
        }

        @Override
        public Channel open() throws IOException {
            Channel channel = layer.over(end.open());
            opened.add(channel);
            return channel;
        }

        /** What lets go the carrier's threads, and leaves the main channel open. */
        List<Runnable> releases() {
            return opened.stream().<Runnable>map(channel -> channel::release).toList();
        }
    }
}
