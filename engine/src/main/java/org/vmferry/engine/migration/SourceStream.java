package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.ram.RamOut;
import org.vmferry.engine.ram.RamSection;
import org.vmferry.engine.report.DowntimePart;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.engine.stream.SectionWriter;
import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.stream.StreamOut;
import org.vmferry.engine.stream.Trailer;
import org.vmferry.engine.stream.Wire;
import org.vmferry.engine.system.Version;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.machine.SectionStore.Section.Kind;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;

/**
 * What a source sends before the end: header, RAM in rounds, the pause, devices. Written on the
 * migration thread; its figures may be asked for by any.
 */
final class SourceStream {
    private static final Logger LOG = Log.of(SourceStream.class);

    private final MigrationSession session;
    private final Migratable machine;
    private final Contents contents;
    private final SourceGuest guest;
    private final SwitchoverGate gate;
    private final List<RamBlock> blocks;
    private final Optional<DirtyLog> log;
    private final boolean hasTrailer;
    private final CRC32C tail = new CRC32C(); // of all that follows RAM
    private Trailer trailer;
    private final long total;
    private final int pageSize;
    private final long began = System.nanoTime();
    private final Phases phases = new Phases();
    private volatile StreamOut out;
    private volatile Precopy precopy;
    private volatile Convergence convergence;
    private volatile long setupTime; // ms
    private volatile long sentAtPause = Long.MAX_VALUE; // until the guest is paused

    SourceStream(
            MigrationSession session,
            Migratable machine,
            Contents contents,
            SourceGuest guest,
            SwitchoverGate gate,
            List<RamBlock> blocks,
            Optional<DirtyLog> log,
            boolean hasTrailer)
            throws MigrationException {
        this.session = session;
        this.machine = machine;
        this.contents = contents;
        this.guest = guest;
        this.gate = gate;
        this.blocks = blocks;
        this.log = log;
        this.hasTrailer = hasTrailer;
        total = RamSection.check(blocks);
        pageSize = blocks.getFirst().pageSize();
        if (guest.before() != RunState.RUNNING) sentAtPause = 0;
    }

    /** Bytes of all blocks. */
    long total() {
        return total;
    }

    /**
     * Writes all of it; returns the VMDESCRIPTION that goes into the end.
     *
     * @param answer what the destination says; null without a return path
     */
    byte[] write(StreamOut stream, RamOut ram, AnswerListener answer, MigrationSide.Stage stage)
            throws IOException {
        out = stream;
        if (hasTrailer) trailer = trailer(); // first: it may be too long
        Configuration configuration = writeHeader(stream);
        SectionWriter sections = contents.writer(stream, configuration, pageSize);
        RamSection.Writer section = new RamSection.Writer(stream, ram, session.options());
        try (Warmth warmth = new Warmth(session);
                Convergence judge =
                        new Convergence(session, contents.throttle(), pageSize, answer != null);
                Precopy rounds =
                        new Precopy(
                                session,
                                blocks,
                                log,
                                ram,
                                section,
                                this::transferred,
                                stage::round)) {
            convergence = judge;
            precopy = rounds;
            sections.toRam(Kind.START);
            section.number(sections.ramNumber());
            section.start(blocks);
            Kind next = sections.toRam(Kind.PART);
            stream.flush(); // a destination that refuses it does so now
            setupTime = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
            stage.enter(MigrationState.ACTIVE);
            converge(rounds, log.isPresent() ? judge : null, answer);
            warmth.await();
            pause();
            // One that stood still before can wait.
            if (guest.before() == RunState.RUNNING) session.liftBandwidth();
            if (session.options().get(EngineOptions.PAUSE_BEFORE_SWITCHOVER)) {
                stream.flush();
                stage.enter(MigrationState.PRE_SWITCHOVER);
                gate.pass(session);
                phases.over(DowntimePart.WAIT);
            }
            stage.enter(MigrationState.DEVICE);
            if (next == Kind.PART) {
                // What a source sent between parts of RAM comes behind pages here, too.
                rounds.part();
                sections.toRam(Kind.END);
            }
            rounds.last();
            if (hasTrailer) stream.sum(tail);
        }
        phases.over(DowntimePart.DRAIN);
        byte[] description = sections.rest(guest.before());
        machine.handOver();
        phases.over(DowntimePart.DEVICE_SAVE);
        confirm(answer, "loaded every device");
        guest.requirePaused();
        session.life().loaded();
        if (answer != null) phases.over(DowntimePart.LINK);
        return description;
    }

    /**
     * Sends rounds until the rest fits into the downtime, and the destination has taken all of
     * them: for one that can't, the guest is not paused.
     *
     * @param judge null where no round can be sent while the guest runs
     */
    private void converge(Precopy rounds, Convergence judge, AnswerListener answer)
            throws IOException {
        // A guest that stands still can wait for the destination at any time.
        boolean ready =
                !session.options().get(EngineOptions.SWITCHOVER_ACK)
                        || guest.before() != RunState.RUNNING;
        while (true) {
            if (judge != null) rounds.untilFits(judge);
            long asked = System.nanoTime();
            confirm(answer, "taken all that was sent");
            if (!ready) {
                ready = true;
                if (answer.awaitReady() && judge != null) {
                    rounds.again(); // the guest ran on meanwhile
                    continue;
                }
            }
            if (judge == null || answer == null) return;
            // Else it has dirtied too much meanwhile, or what was sent lay in buffers.
            if (rounds.fitStill(judge, asked)) return;
        }
    }

    /** Goes on only when the destination has taken all that was sent (rule RPT-5). */
    private void confirm(AnswerListener answer, String what) throws IOException {
        if (answer == null) return;
        command(out, Wire.Command.PING, answer.ping());
        out.flush();
        answer.awaitPong(what);
    }

    private Trailer trailer() throws IOException {
        return Trailer.of(
                "vmferry " + Version.current(),
                contents.uuid(),
                MissingRam.leftOut(blocks, session.options()),
                contents.facts());
    }

    /** Writes what a file says behind the stream's end; only into one. */
    void writeTrailer(StreamOut stream) throws IOException {
        stream.flush(); // so that all of it is in the sum
        stream.bytes(MemorySegment.ofArray(trailer.encode(tail)));
    }

    private Configuration writeHeader(StreamOut stream) throws IOException {
        Configuration configuration = contents.configuration(pageSize, session.options());
        StreamHeader.write(stream, configuration);
        if (session.options().get(EngineOptions.RETURN_PATH)) {
            command(stream, Wire.Command.OPEN_RETURN_PATH);
            command(stream, Wire.Command.PING, ReturnPath.GREETING);
        }
        return configuration;
    }

    private static void command(StreamOut out, Wire.Command command, int... payload)
            throws IOException {
        out.u8(Wire.COMMAND);
        out.u16(command.number());
        out.u16(payload.length * 4);
        for (int value : payload) out.u32(value);
    }

    /** Pauses the guest, unless that was done before. */
    void pause() throws MigrationException {
        session.check(); // a guest that is to run on is not disturbed
        phases.begin();
        guest.pause();
        phases.over(DowntimePart.STOP);
        sentAtPause = Math.min(sentAtPause, transferred());
    }

    /** Logs and slows the guest no longer, in place of a thread that hangs. Any thread. */
    void abandon() {
        if (precopy != null) precopy.close();
        if (convergence != null) convergence.close();
    }

    /** The last part of the pause is over, as far as is known here. */
    void over(DowntimePart last) {
        guest.over();
        if (last != null) phases.over(last);
    }

    /** Says so, if the guest stood still for longer than it was to. */
    void tellDowntime() {
        Map<DowntimePart, Long> parts = parts();
        long limit = session.current(EngineOptions.DOWNTIME_LIMIT);
        long downtime = guest.downtime() - parts.getOrDefault(DowntimePart.WAIT, 0L);
        if (downtime <= limit || session.isRehearsal()) return;
        String longest =
                parts.entrySet().stream()
                        .filter(part -> part.getKey() != DowntimePart.WAIT)
                        .max(Map.Entry.comparingByValue())
                        .map(part -> part.getKey().words())
                        .orElse("unknown");
        LOG.warn(
                "{}: the guest stood still for {} ms, with downtime-limit {} ms; {} ms were"
                        + " expected. The longest part was: {} ({})",
                session.name(),
                downtime,
                limit,
                convergence.expectedDowntime(),
                longest,
                DowntimePart.list(parts));
    }

    private Map<DowntimePart, Long> parts() {
        return guest.before() == RunState.RUNNING ? phases.ms() : Map.of();
    }

    private long transferred() {
        StreamOut stream = out;
        return (stream == null ? 0 : stream.sent()) + session.channelBytes();
    }

    MigrationSide.Progress progress() {
        long sent = transferred();
        Precopy rounds = precopy;
        Convergence judge = convergence;
        return new MigrationSide.Progress(
                total,
                pageSize,
                sent,
                Math.max(0, sent - sentAtPause),
                rounds == null ? total : rounds.remaining(),
                rounds == null ? 0 : rounds.rounds(),
                setupTime,
                guest.downtime(),
                parts(),
                judge == null ? 0 : judge.expectedDowntime(),
                judge == null ? 0 : judge.dirtyPagesRate(),
                judge == null ? 0 : judge.percent());
    }
}
