package org.vmferry.multifd;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Session;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.carrier.PageCarrier.Channels;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;

/**
 * Receives pages in packets on channels of its own.
 *
 * <p>Each channel has one thread for all its life: it reads the hello, waits until the blocks are
 * known, and reads packets. At a SYNC it stops until the main stream has come as far.
 */
final class FramedReceiver implements PageCarrier.Receiver {
    /** One channel, as the migration thread sees it. Guarded by the workers' lock. */
    private static final class State {
        final Source source;
        boolean atSync;
        boolean pagesSinceSync;
        boolean ended;
        IOException endedBy; // null if in order

        State(Source source) {
            this.source = source;
        }
    }

    private final Channels channels;
    private final Session session;
    private final long silence;
    private final Workers workers;
    private final Condition met; // the migration thread waits for channels
    private final Condition goOn; // channels wait for the migration thread
    private final State[] states; // null until the channel's hello
    private int greeted;
    private boolean finishing;

    private Map<String, Target> blocks; // null until START was read
    private int pageSize;
    private boolean started; // the START section is over
    private boolean syncsPerSection;
    private boolean synced;

    /**
     * A receiver without channels.
     *
     * @param channels where they come from
     * @param session the migration
     * @param silence for how long a channel whose SYNC is waited for may give no byte, in ms (rule
     *     MFD-23)
     */
    FramedReceiver(Channels channels, Session session, long silence) {
        this.channels = channels;
        this.session = session;
        this.silence = silence;
        workers = new Workers(session, "recv");
        met = workers.condition();
        goOn = workers.condition();
        states = new State[session.options().get(MultifdCarrier.CHANNELS)];
    }

    @Override
    public void connect() throws IOException {
        try {
            for (int i = 0; i < states.length; i++) {
                workers.check();
                Channel channel = channels.accept();
                workers.own(channel);
                workers.start(i, () -> run(channel));
            }
            awaitHellos();
        } catch (IOException e) {
            workers.check(); // a channel that failed is why the others were let go
            throw failed(e);
        }
    }

    private void awaitHellos() throws IOException {
        workers.lock.lock();
        try {
            for (int before = greeted; greeted < states.length; before = greeted) {
                long rest = session.patience() == 0 ? Long.MAX_VALUE : session.patience();
                if (workers.await(met, rest) || greeted > before) continue;
                throw MigrationException.peer(
                        "multifd: %d of %d channels said no hello within %d ms (connect-timeout)",
                        states.length - greeted, states.length, rest);
            }
        } finally {
            workers.lock.unlock();
        }
    }

    private void run(Channel channel) {
        Source source = new Source(channel);
        int id;
        try {
            id = greeting(source);
        } catch (Throwable e) {
            workers.fail(Workers.named(source.name(), e));
            return;
        }
        try {
            if (awaitStart()) serve(id, source);
        } catch (Throwable e) {
            workers.fail(Workers.named(source.name(), e));
        }
    }

    private int greeting(Source source) throws IOException {
        Hello hello;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Hello.BYTES);
            if (!source.fill(bytes.asByteBuffer())) {
                throw MigrationException.peer("%s: the channel ends", source.name());
            }
            hello = Hello.decode(bytes, source.peer(), session.uuid(), states.length);
        }
        workers.lock.lock();
        try {
            State taken = states[hello.id()];
            if (taken != null) {
                throw MigrationException.peer(
                        "multifd hello from %s: channel id %d is taken by %s",
                        source.peer(), hello.id(), taken.source.peer());
            }
            states[hello.id()] = new State(source);
            greeted++;
            met.signal();
        } finally {
            workers.lock.unlock();
        }
        workers.name(hello.id());
        source.name(hello.id());
        return hello.id();
    }

    /** Nothing is read before the blocks are known (rule MFD-18). */
    private boolean awaitStart() {
        workers.lock.lock();
        try {
            while (blocks == null && !workers.over()) goOn.awaitUninterruptibly();
            return !workers.over();
        } finally {
            workers.lock.unlock();
        }
    }

    private void serve(int id, Source source) throws IOException {
        try (ReceiveChannel channel = new ReceiveChannel(id, source, session, blocks, pageSize)) {
            for (Packet packet = next(id, channel); packet != null; packet = next(id, channel)) {
                if (packet.listsPages()) {
                    willApply(id, packet);
                    channel.apply();
                }
                if (packet.sync() && !meet(id)) return;
            }
        }
    }

    /** The next packet, or null at the channel's end, of which the migration thread is told. */
    private Packet next(int id, ReceiveChannel channel) throws IOException {
        long before = states[id].source.bytes();
        IOException endedBy = null;
        try {
            Packet packet = channel.next();
            if (packet != null) return packet;
        } catch (MigrationException e) {
            throw e;
        } catch (IOException e) {
            // Between packets it matters only if somebody still waits for this channel.
            if (states[id].source.bytes() != before) throw e;
            endedBy = e;
        }
        workers.lock.lock();
        try {
            states[id].ended = true;
            states[id].endedBy = endedBy;
            met.signal();
            return null;
        } finally {
            workers.lock.unlock();
        }
    }

    private void willApply(int id, Packet packet) throws MigrationException {
        workers.lock.lock();
        try {
            if (finishing) throw packet.bad(id, "pages after the main stream's last sync");
            states[id].pagesSinceSync = true;
        } finally {
            workers.lock.unlock();
        }
    }

    /** Waits for the main stream (rule MFD-17). */
    private boolean meet(int id) {
        workers.lock.lock();
        try {
            states[id].atSync = true;
            met.signal();
            while (states[id].atSync && !workers.over()) goOn.awaitUninterruptibly();
            return !workers.over();
        } finally {
            workers.lock.unlock();
        }
    }

    @Override
    public void start(Placement placement, List<RamBlock> opened) throws IOException {
        if (!(placement instanceof Placement.Framed)) {
            throw new MigrationException(
                    Blame.PLUGIN, "multifd connected for a stream, the layout gives places");
        }
        Map<String, Target> byName = new HashMap<>();
        for (RamBlock block : opened) byName.put(block.id(), new Target(block));
        int size = PageSize.of(opened);
        workers.lock.lock();
        try {
            pageSize = size;
            blocks = byName;
            goOn.signalAll();
        } finally {
            workers.lock.unlock();
        }
    }

    @Override
    public void fetch(Run run) {
        throw new UnsupportedOperationException("pages come on channels");
    }

    @Override
    public void beforePage(RamBlock block, long offset) {
        blocks.get(block.id()).arrive(offset, 1);
    }

    @Override
    public void sync() throws IOException {
        synced = true;
        try {
            meetAll();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private void meetAll() throws IOException {
        workers.lock.lock();
        try {
            for (int id = firstMissing(); id >= 0; id = firstMissing()) {
                State state = states[id];
                if (state.ended) throw ended(state);
                long bytes = bytes();
                if (!workers.await(met, silence) && bytes == bytes()) {
                    throw MigrationException.peer(
                            "%s: nothing came for %d ms, the main stream waits for its SYNC",
                            state.source.name(), silence);
                }
            }
            for (State state : states) {
                state.atSync = false;
                state.pagesSinceSync = false;
            }
            goOn.signalAll();
        } finally {
            workers.lock.unlock();
        }
    }

    private int firstMissing() throws IOException {
        workers.check();
        for (int id = 0; id < states.length; id++) if (!states[id].atSync) return id;
        return -1;
    }

    private long bytes() {
        long sum = 0;
        for (State state : states) sum += state.source.bytes();
        return sum;
    }

    private static MigrationException ended(State state) {
        String why = state.endedBy == null ? "" : ": " + state.endedBy.getMessage();
        return new MigrationException(
                Blame.TRANSPORT,
                state.source.name() + " ended before the SYNC that the main stream waits for" + why,
                state.endedBy);
    }

    /** Fails the migration from the migration thread; not with the lock held. */
    private IOException failed(IOException cause) {
        workers.fail(cause);
        return cause;
    }

    @Override
    public void endSection() throws IOException {
        if (!started) {
            started = true;
            syncsPerSection = !synced; // which dialect it is (rule MFD-16)
        }
        if (syncsPerSection) sync();
    }

    /**
     * {@inheritDoc}
     *
     * <p>Does not wait for the channels' ends: a source with a return path keeps them open until it
     * hears of our success (rule MFD-20).
     */
    @Override
    public void finish() throws IOException {
        State late = null;
        workers.lock.lock();
        try {
            workers.check();
            finishing = true;
            for (State state : states) if (state.pagesSinceSync) late = state;
        } finally {
            workers.lock.unlock();
        }
        if (late != null) {
            throw failed(
                    MigrationException.peer(
                            "%s: pages after the main stream's last sync", late.source.name()));
        }
        workers.stop();
    }

    @Override
    public void close() {
        workers.close();
    }
}
