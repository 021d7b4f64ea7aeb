package org.vmferry.multifd;

import org.slf4j.Logger;
import org.vmferry.spi.Log;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.carrier.PageCarrier.Channels;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;

/**
 * Sends pages in packets over channels of its own.
 *
 * <p>Each channel has one thread for all its life: it opens the channel, says hello, and then sends
 * the batches that the migration thread hands it.
 */
final class MultifdSender implements PageCarrier.Sender {
    private static final Logger log = Log.of(MultifdSender.class);

    /** Packets of pages that are known to be zero: headers alone, which take no time each. */
    static final int ZERO_PACKETS = 32;

    private final Channels channels;
    private final Session session;
    private final WorkerThreads workers;
    private final JobSlots<Batch> crew;
    private final Condition settled;
    private final AtomicLong numbers = new AtomicLong();
    private final int count;
    private final boolean eachSection;
    private final boolean findZeros;
    private int unsettled; // guarded by the workers' lock

    private volatile int pageSize; // set before the first batch is handed over
    private Batch pending;

    MultifdSender(Channels channels, Session session) {
        this.channels = channels;
        this.session = session;
        count = session.options().get(MultifdOptions.CHANNELS);
        eachSection = session.options().get(MultifdOptions.FLUSH_EACH_SECTION);
        findZeros =
                session.options().get(MultifdOptions.ZERO_PAGES).equals(MultifdOptions.BY_CHANNELS);
        workers = new WorkerThreads(session, "send");
        crew = new JobSlots<>(workers, count);
        settled = workers.condition();
    }

    @Override
    public void connect() throws IOException {
        workers.lock.lock();
        try {
            for (int i = 0; i < count && !workers.over(); i++) {
                int id = i;
                workers.start(id, () -> run(id));
                unsettled++;
            }
        } catch (IOException e) {
            log.debug("{}: thrown when all that began is settled", session.name(), e);
        } finally {
            // Whatever failed: nothing is torn down while a channel is still being made.
            while (unsettled > 0) settled.awaitUninterruptibly();
            workers.lock.unlock();
        }
        workers.check();
    }

    private void run(int id) throws IOException {
        Channel channel;
        try {
            channel = greet(id);
        } catch (Throwable e) {
            // Before it counts as settled: connect() is to see it.
            workers.fail(WorkerThreads.named("multifd channel " + id + " could not be opened", e));
            return;
        } finally {
            workers.lock.lock();
            unsettled--;
            settled.signal();
            workers.lock.unlock();
        }
        try {
            serve(id, channel);
        } catch (Throwable e) {
            workers.fail(WorkerThreads.named("multifd channel " + id + " to " + channel.peer(), e));
        }
    }

    private Channel greet(int id) throws IOException {
        Channel channel = channels.open();
        workers.own(channel);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Hello.BYTES);
            new Hello(session.uuid(), id).encode(bytes);
            for (ByteBuffer buffer = bytes.asByteBuffer(); buffer.hasRemaining(); ) {
                channel.write(buffer);
            }
        }
        return channel;
    }

    private void serve(int id, Channel channel) throws IOException {
        Batch batch = crew.take(id);
        if (batch == null) return;
        try (SendChannel sender =
                new SendChannel(id, channel, session, numbers, pageSize, findZeros)) {
            for (; batch != null; batch = crew.take(id)) {
                if (batch.isSync()) sender.sendSync();
                else if (batch.isZeros()) sender.sendZeros(batch);
                else sender.send(batch);
            }
        }
    }

    @Override
    public void start(List<RamBlock> blocks) throws IOException {
        pageSize = eachSection ? PageSize.of(blocks) : PageSize.ofFlushed(blocks);
    }

    @Override
    public boolean leavesZeroPages() {
        return session.options().get(MultifdOptions.ZERO_PAGES).equals(MultifdOptions.LEGACY);
    }

    @Override
    public void send(Run run) throws IOException {
        int limit = Packet.limit(pageSize);
        boolean zeros = findZeros && run.pages() >= limit && isKnownZero(run);
        if (zeros) limit *= ZERO_PACKETS;
        for (int done = 0; done < run.pages(); ) {
            if (pending != null && !pending.takes(run.block(), zeros)) handOver();
            if (pending == null) pending = new Batch(run.block(), zeros);
            int pages = Math.min(run.pages() - done, limit - pending.pages());
            pending.add(run.part(done, pages));
            if (pending.pages() == limit) handOver();
            done += pages;
        }
    }

    private static boolean isKnownZero(Run run) {
        return run.block().isKnownZero(run.offset(), run.bytes());
    }

    private void handOver() throws IOException {
        crew.give(pending);
        pending = null;
    }

    private void synchronise() throws IOException {
        if (pending != null) handOver();
        crew.giveAll(Batch.sync());
    }

    @Override
    public boolean endRound() throws IOException {
        if (eachSection) return false;
        synchronise();
        return true;
    }

    @Override
    public void endSection() throws IOException {
        if (eachSection) synchronise();
    }

    @Override
    public void finish() throws IOException {
        if (pending != null) handOver();
        crew.drain();
        workers.stop();
        workers.join();
        workers.shutdownOutputs();
    }

    @Override
    public void close() {
        workers.close();
    }
}
