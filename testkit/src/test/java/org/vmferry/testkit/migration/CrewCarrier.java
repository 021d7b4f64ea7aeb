package org.vmferry.testkit.migration;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A second carrier, to prove the seam: two channels with a format of their own, which take turns.
 * The migration thread sends; each channel has a thread that receives. Zero pages are left to the
 * main stream. A channel's words are its number after the magic, and then block, first page and
 * pages, with their bytes; no pages are a synchronisation.
 */
public final class CrewCarrier implements PageCarrier {
    public static final Capability CREW = new Capability("crew");
    private static final int CHANNELS = 2;
    private static final int MAGIC = 0x63726577;

    @Override
    public String id() {
        return CREW.name();
    }

    @Override
    public List<Option<?>> options() {
        return List.of(CREW);
    }

    @Override
    public int channelMagic() {
        return MAGIC;
    }

    @Override
    public int fileWorkers(Options options) {
        return 3;
    }

    @Override
    public Sender sender(Channels channels, Session session) {
        return new Sends(channels, session);
    }

    @Override
    public Receiver receiver(Session session) {
        return new Receives(session);
    }

    private static ByteBuffer word(int block, long first, int pages) {
        return ByteBuffer.allocate(16).putInt(block).putLong(first).putInt(pages).flip();
    }

    private static void write(Channel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) channel.write(bytes);
    }

    private static boolean fill(Channel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) if (channel.read(bytes) < 0) return false;
        bytes.flip();
        return true;
    }

    private static void close(List<Channel> channels) {
        for (Channel channel : channels) channel.release();
        for (Channel channel : channels) {
            try {
                channel.close();
            } catch (IOException e) {
                // It is given up anyway.
            }
        }
    }

    private static final class Sends implements Sender {
        private final Channels from;
        private final Session session;
        private final List<Channel> channels = new ArrayList<>();
        private final Staging staging = new Staging();
        private List<RamBlock> blocks;
        private int turn;

        Sends(Channels from, Session session) {
            this.from = from;
            this.session = session;
        }

        @Override
        public void connect() throws IOException {
            for (int i = 0; i < CHANNELS; i++) {
                channels.add(from.open());
                write(channels.get(i), ByteBuffer.allocate(5).putInt(MAGIC).put((byte) i).flip());
            }
        }

        @Override
        public void start(List<RamBlock> all) {
            blocks = all;
        }

        @Override
        public boolean leavesZeroPages() {
            return true;
        }

        @Override
        public void send(Run run) throws IOException {
            session.permit(run.bytes());
            Channel channel = channels.get(turn++ % CHANNELS);
            write(channel, word(blocks.indexOf(run.block()), run.firstPage(), run.pages()));
            write(channel, staging.bytes(run).asByteBuffer());
            session.counters().normalPages(run.pages());
            session.counters().bytes(16 + run.bytes());
        }

        @Override
        public boolean endRound() throws IOException {
            for (Channel channel : channels) write(channel, word(0, 0, 0));
            return true;
        }

        @Override
        public void finish() throws IOException {
            for (Channel channel : channels) channel.shutdownOutput();
        }

        @Override
        public void close() {
            CrewCarrier.close(channels);
            staging.close();
        }
    }

    private static final class Receives implements Receiver {
        private final Session session;
        private final List<Thread> threads = new ArrayList<>();
        private final Map<Integer, Channel> channels = new HashMap<>(); // by number
        private List<RamBlock> blocks;
        private int atSync; // channels that have come to the next one
        private int passed; // synchronisations that all have
        private boolean over;

        Receives(Session session) {
            this.session = session;
        }

        @Override
        public boolean arrived(Channel channel) throws IOException {
            ByteBuffer number = ByteBuffer.allocate(1);
            if (!fill(channel, number)) return false;
            int id = number.get();
            synchronized (this) {
                if (over || id < 0 || id >= CHANNELS || channels.putIfAbsent(id, channel) != null)
                    return false;
                Thread thread = new Thread(() -> run(channel), session.name() + "-crew-" + id);
                threads.add(thread);
                thread.start();
                notifyAll();
                return true;
            }
        }

        private void run(Channel channel) {
            try (Staging staging = new Staging()) {
                synchronized (this) {
                    while (blocks == null && !over) wait();
                }
                ByteBuffer word = ByteBuffer.allocate(16);
                while (fill(channel, word.clear())) {
                    int block = word.getInt();
                    long first = word.getLong();
                    int pages = word.getInt();
                    if (pages == 0) synced();
                    else take(channel, new Run(blocks.get(block), first, pages), staging);
                }
            } catch (IOException | RuntimeException | InterruptedException e) {
                synchronized (this) {
                    if (over) return;
                }
                session.fail(e);
            }
        }

        private void take(Channel channel, Run run, Staging staging) throws IOException {
            session.came(run.block());
            MemorySegment bytes = staging.buffer(run.bytes());
            if (!fill(channel, bytes.asByteBuffer()))
                throw MigrationException.peer("the crew's channel ended within a run");
            session.arrives(run);
            run.block().write(run.offset(), bytes);
            session.counters().normalPages(run.pages());
            session.counters().bytes(16 + run.bytes());
        }

        /** Nothing more is read before the main stream has come as far. */
        private synchronized void synced() throws InterruptedException {
            int next = passed + 1;
            atSync++;
            notifyAll();
            while (passed < next && !over) wait();
        }

        @Override
        public synchronized void connect(String machine) throws IOException {
            long until =
                    System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(session.connectTimeout());
            while (channels.size() < CHANNELS) {
                if (System.nanoTime() > until) throw MigrationException.peer("no crew came");
                pause();
            }
        }

        @Override
        public synchronized void start(List<RamBlock> opened) {
            blocks = opened;
            notifyAll();
        }

        /** What came before it is in RAM when every channel has said so. */
        @Override
        public synchronized void sync() throws IOException {
            while (atSync < CHANNELS) pause();
            atSync = 0;
            passed++;
            notifyAll();
        }

        private void pause() throws IOException {
            session.check();
            try {
                wait(5);
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }

        @Override
        public void finish() {}

        @Override
        public void close() {
            List<Channel> all;
            synchronized (this) {
                over = true;
                all = List.copyOf(channels.values());
                notifyAll();
            }
            CrewCarrier.close(all);
            for (Thread thread : threads) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }
}
