package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.ram.CarrierOut;
import org.vmferry.engine.ram.InlineOut;
import org.vmferry.engine.ram.RamOut;
import org.vmferry.engine.report.DowntimePart;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.stream.DeviceSections;
import org.vmferry.engine.stream.StreamOut;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Through channels to a destination, which may say how it went. */
final class ChannelSave extends Save {
    private static final Logger LOG = Log.of(ChannelSave.class);

    private final ChannelTransport channels;
    private LateWord word; // the migration's thread's own

    ChannelSave(
            MigrationSession session, Migratable machine, Route route, ChannelTransport channels)
            throws MigrationException {
        super(session, machine, route);
        this.channels = channels;
    }

    /** With channels besides, the end of a part of RAM may mean more than that. */
    @Override
    void check() throws IOException {
        if (route.carrier().isPresent() && contents.asIs()) {
            throw MigrationException.user(
                    "the machine has sections that are carried as they are, because nothing is"
                            + " known of what is in them: it can't be sent with %s, but without",
                    route.carrier().get().id());
        }
    }

    @Override
    boolean hasTrailer() {
        return false;
    }

    @Override
    void deliver(SourceGuest source, SourceStream everything, List<RamBlock> blocks, Stage stage)
            throws IOException {
        Opener end = channels.opener(route.address(), session.options());
        try (LateWord late = new LateWord(session, source, end)) {
            word = late;
            through(end);
            pauseFirst(everything);
            try (Silence silence = new Silence(session)) {
                send(end, silence, everything, stage);
            }
            if (!life.isDone()) complete(end);
        }
    }

    private void complete(Opener end) throws IOException {
        try {
            end.complete();
        } catch (MigrationException e) {
            // A command that was killed may have passed everything on; one that failed has not.
            if (yanked() || e.blame() == Blame.PLUGIN) throw e;
            throw new Refused(e);
        }
        life.delivered();
    }

    @Override
    public void hearOut(MachineUse use, Consumer<GuestOwner> corrected) {
        if (word != null) word.hear(use, corrected);
    }

    private void send(Opener end, Silence silence, SourceStream everything, Stage stage)
            throws IOException {
        ChannelSecurity secure = ChannelSecurity.ofSource(route.address(), session);
        ChannelSecurity layer = raw -> silence.over(secure.over(silence.noticed(raw)));
        Channel main = layer.over(end.open());
        Opened opened = new Opened(end, layer);
        try (Ending ending = new Ending(session, end);
                StreamOut out = new StreamOut(main);
                RamOut ram = ram(out, opened);
                AnswerListener answer =
                        session.options().get(EngineOptions.RETURN_PATH)
                                ? new AnswerListener(main, session, silence)
                                : null) {
            try {
                ram.connect();
                byte[] description = everything.write(out, ram, answer, stage);
                if (!end(out, everything, description, answer, ram, silence, ending)) {
                    OutcomeUnknown why = answer.silent();
                    if (word.keep(answer, why)) session.release(opened.releases());
                    throw why;
                }
                ending.end(main);
            } catch (IOException | RuntimeException | Error e) {
                // Lets go the carrier's threads, so that its close() can join them.
                session.fail(e);
                throw e;
            }
        } catch (IOException | RuntimeException | Error e) {
            if (!word.isKept()) main.release();
            throw e;
        }
    }

    private RamOut ram(StreamOut out, Opened opened) {
        return route.carrier().isEmpty()
                ? new InlineOut(out, session)
                : new CarrierOut(out, session, route.carrier().get().sender(opened, session));
    }

    /**
     * Sends the end. From its first byte on the destination may have everything: no cancel is taken
     * any more, and a link that is lost now leaves open who has the guest.
     *
     * @return false if the destination does not say in time how it went
     */
    private boolean end(
            StreamOut out,
            SourceStream everything,
            byte[] description,
            AnswerListener answer,
            RamOut ram,
            Silence silence,
            Ending ending)
            throws IOException {
        out.flush(); // a link that was lost before is so before the end
        life.commit();
        silence.patient();
        try {
            DeviceSections.end(out, description);
            out.flush();
            if (answer == null) {
                everything.over(null); // goodbyes hold up no guest
                ram.finish();
            }
        } catch (IOException e) {
            if (answer == null) throw new OutcomeUnknown(e);
            LOG.debug("{}: the end was not sent whole", session.name(), e);
            answer.endsEarly(e);
        }
        if (answer == null) return true;
        if (!answer.awaitOutcome()) return false;
        life.delivered();
        everything.over(DowntimePart.START);
        ending.bound();
        try {
            ram.finish();
        } catch (IOException e) {
            LOG.debug("{}: the destination has everything all the same", session.name(), e);
        }
        return true;
    }

    /** Opens a carrier's channels. */
    private record Opened(Opener end, ChannelSecurity layer, List<Channel> opened)
            implements PageCarrier.Channels {
        Opened(Opener end, ChannelSecurity layer) {
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
