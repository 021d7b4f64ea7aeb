package org.vmferry.multifd;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;

/**
 * Receives pages in packets on channels of its own.
 *
 * <p>Each channel has one thread from its hello on: it waits until the blocks are known, and reads
 * packets. At a SYNC it stops until the main stream has come as far.
 */
final class MultifdReceiver implements PageCarrier.Receiver {
    private static final long LOOK_MS = 1000; // the limit may change meanwhile

    private final Session session;
    private final WorkerThreads workers;
    private final Condition met; // the migration thread waits for channels
    private final Condition goOn; // channels wait for the migration thread
    private final Roster roster;
    private List<Member> members; // set when all are there
    private boolean gapless; // whether packets are numbered so
    private volatile boolean endsCleanly; // whether the source ends its TLS channels in order
    private long nextNumber; // the first packet's since the last sync
    private boolean ending; // the last part of the section has begun
    private boolean finishing; // what comes now is nobody's business (rule MFD-24)

    private Map<String, RamBlock> blocks; // null until START was read
    private int pageSize;
    private boolean started; // the START section is over
    private boolean syncsPerSection;
    private boolean synced;

    /**
     * A receiver without channels.
     *
     * @param session the migration
     */
    MultifdReceiver(Session session) {
        this.session = session;
        workers = new WorkerThreads(session, "recv");
        met = workers.condition();
        goOn = workers.condition();
        roster = new Roster(workers, session);
    }

    @Override
    public boolean arrived(Channel channel) throws IOException {
        Optional<Member> member = roster.greet(channel);
        if (member.isEmpty()) return false;
        workers.own(channel);
        workers.start(member.get().id, () -> run(member.get(), channel));
        if (roster.seat(member.get())) return true;
        workers.lock.lock();
        try {
            goOn.signalAll(); // its worker may wait already
        } finally {
            workers.lock.unlock();
        }
        workers.disown(channel);
        return false;
    }

    @Override
    public void connect(String machine) throws IOException {
        gapless = PacketNumbers.gapless(machine);
        endsCleanly = PacketNumbers.endsCleanly(machine);
        try {
            members = roster.awaitAll();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private void run(Member member, Channel channel) {
        try {
            if (!member.source.begins()) {
                roster.leave(member);
                workers.disown(channel);
                return;
            }
            roster.begun(member);
            if (awaitStart(member)) serve(member);
        } catch (Throwable e) {
            MigrationException typed = WorkerThreads.named(member.source.name(), e);
            if (!mayBeNobodys(member, typed)) workers.fail(typed);
        }
    }

    /**
     * Whether a fault stands behind a SYNC that may be the last: a sync that waits for the channel
     * meets it, and nobody else does (rule MFD-24).
     */
    private boolean mayBeNobodys(Member member, MigrationException fault) {
        workers.lock.lock();
        try {
            if (!finishing && (!member.metInEnd || member.pagesSinceSync)) return false;
            member.ended = true;
            member.endedBy = fault;
            met.signal();
            return true;
        } finally {
            workers.lock.unlock();
        }
    }

    /** No packet is read before the blocks are known (rule MFD-18). */
    private boolean awaitStart(Member member) {
        workers.lock.lock();
        try {
            while ((blocks == null || !member.seated) && !member.left && !workers.over()) {
                goOn.awaitUninterruptibly();
            }
            return !member.left && !workers.over();
        } finally {
            workers.lock.unlock();
        }
    }

    private void serve(Member member) throws IOException {
        try (ReceiveChannel channel =
                new ReceiveChannel(member.id, member.source, session, blocks, pageSize)) {
            for (Packet packet = next(member, channel);
                    packet != null;
                    packet = next(member, channel)) {
                member.numbers.add(packet.packetNum());
                if (packet.listsPages()) {
                    if (!willApply(member)) return;
                    channel.apply();
                }
                if (packet.sync() && !meet(member)) return;
            }
        }
    }

    /** The next packet, or null at the channel's end, of which the migration thread is told. */
    private Packet next(Member member, ReceiveChannel channel) throws IOException {
        long before = member.source.bytes();
        IOException endedBy = null;
        try {
            Packet packet = channel.next();
            if (packet != null) return packet;
        } catch (IOException e) {
            // Between packets it matters only if somebody still waits for this channel.
            if (member.source.bytes() != before || !isEnd(e)) throw e;
            endedBy = e;
        }
        workers.lock.lock();
        try {
            member.ended = true;
            member.endedBy = endedBy;
            met.signal();
            return null;
        } finally {
            workers.lock.unlock();
        }
    }

    /** Whether it says that the channel has ended: of TLS it may be a cut (rule MFD-20). */
    private boolean isEnd(IOException e) {
        if (!(e instanceof MigrationException why)) return true;
        return !endsCleanly && why.blame() == Blame.TRANSPORT;
    }

    /** Whether its pages are to be put in place. */
    private boolean willApply(Member member) {
        workers.lock.lock();
        try {
            if (!finishing) member.pagesSinceSync = true;
            return !finishing;
        } finally {
            workers.lock.unlock();
        }
    }

    /** Waits for the main stream (rule MFD-17). */
    private boolean meet(Member member) {
        workers.lock.lock();
        try {
            member.atSync = true;
            met.signal();
            while (member.atSync && !workers.over()) goOn.awaitUninterruptibly();
            return !workers.over();
        } finally {
            workers.lock.unlock();
        }
    }

    @Override
    public void start(List<RamBlock> opened) throws IOException {
        Map<String, RamBlock> byName = new HashMap<>();
        for (RamBlock block : opened) byName.put(block.id(), block);
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
    public void sync() throws IOException {
        synced = true;
        try {
            meetAll(false);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /**
     * Waits until all are at their SYNC.
     *
     * @param last whether no channel is read beyond it
     */
    private void meetAll(boolean last) throws IOException {
        workers.lock.lock();
        try {
            awaitSyncs();
            PacketNumbers all = new PacketNumbers();
            for (Member member : members) all.take(member.numbers);
            if (gapless) nextNumber = all.sync(nextNumber);
            for (Member member : members) {
                member.atSync = last;
                member.pagesSinceSync = false;
                member.metInEnd = ending;
            }
            goOn.signalAll();
        } finally {
            workers.lock.unlock();
        }
    }

    /** Times each channel by itself: that others move does not mean that it will (rule MFD-23). */
    private void awaitSyncs() throws IOException {
        members.forEach(Member::watch);
        workers.check();
        while (true) {
            long silence = session.silence();
            long limit = silence == 0 ? Long.MAX_VALUE : TimeUnit.MILLISECONDS.toNanos(silence);
            long rest = limit;
            boolean all = true;
            for (Member member : members) {
                if (member.atSync) continue;
                all = false;
                if (member.ended) throw member.endedEarly();
                rest = Math.min(rest, limit - member.silence());
                if (rest <= 0) {
                    throw MigrationException.peer(
                            "%s: nothing came for %d ms (silence-timeout), the main stream"
                                    + " waits for its SYNC",
                            member.source.name(), silence);
                }
            }
            if (all) return;
            workers.await(met, Math.min(LOOK_MS, TimeUnit.NANOSECONDS.toMillis(rest) + 1));
        }
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

    @Override
    public void ending() {
        workers.lock.lock();
        try {
            ending = true;
        } finally {
            workers.lock.unlock();
        }
    }

    @Override
    public void ended(boolean sync) throws IOException {
        try {
            // In the old dialect the end mark asks to wait, too.
            if (sync && syncsPerSection) meetAll(false);
            if (sync || syncsPerSection) meetAll(true);
            noMore();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Nothing that a channel still has counts; what it gave has been waited for. */
    private void noMore() throws IOException {
        workers.lock.lock();
        try {
            workers.check();
            finishing = true;
            for (Member member : members) {
                String name = member.source.name();
                if (ending && !member.metInEnd) {
                    throw MigrationException.peer(
                            "%s: the RAM section's END waits for no SYNC, so nothing tells which of"
                                    + " its pages belong to it",
                            name);
                }
                if (member.pagesSinceSync) {
                    throw MigrationException.peer(
                            "%s: pages after the main stream's last sync", name);
                }
            }
        } finally {
            workers.lock.unlock();
        }
    }

    /**
     * {@inheritDoc}
     *
     * <p>Does not wait for the channels' ends: a source with a return path keeps them open until it
     * hears of our success (rule MFD-20).
     */
    @Override
    public void finish() throws IOException {
        try {
            noMore();
        } catch (IOException e) {
            throw failed(e);
        }
        workers.stop();
    }

    @Override
    public void close() {
        workers.close();
    }
}
