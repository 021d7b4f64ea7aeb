package org.vmferry.testkit.fault;

import org.vmferry.spi.Status;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.Opener;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;
import org.vmferry.spi.transport.TransportProvider;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** What goes wrong on any transport that these are put over. */
@Status(Status.Level.EXPERIMENTAL)
public final class Faults {
    private final List<Fault> faults;
    private final CountDownLatch struck = new CountDownLatch(1);
    private final List<State> ends = new CopyOnWriteArrayList<>();

    /**
     * Faults; each end of a transport with them has them all.
     *
     * @param faults what goes wrong
     */
    public Faults(Fault... faults) {
        this.faults = List.of(faults);
    }

    /**
     * A transport with these faults. Its scheme is the other's with {@code faulty-} before it, so
     * that both can be in one engine: give the faults to one side, and let the other use the plain
     * one.
     *
     * @param real where the bytes go
     * @return over that
     */
    public TransportProvider over(TransportProvider real) {
        return switch (real) {
            case ChannelTransport channels -> over(channels);
            case FileTransport files -> over(files);
        };
    }

    /**
     * As {@link #over(TransportProvider)}.
     *
     * @param real where the bytes go
     * @return over that
     */
    public ChannelTransport over(ChannelTransport real) {
        return new ForwardingChannelTransport(real, "faulty-" + real.id()) {
            @Override
            protected Opener over(Opener end) {
                return new FaultyOpener(end);
            }

            @Override
            protected Acceptor over(Acceptor end) {
                return new FaultyAcceptor(end, id());
            }
        };
    }

    /**
     * As {@link #over(TransportProvider)}.
     *
     * @param real where the bytes go
     * @return over that
     */
    public FileTransport over(FileTransport real) {
        return new ForwardingFileTransport(real, "faulty-" + real.id()) {
            @Override
            protected OutgoingFile over(OutgoingFile end) {
                return new FaultyOutgoingFile(end);
            }

            @Override
            protected IncomingFile over(IncomingFile end) {
                return new FaultyIncomingFile(end);
            }
        };
    }

    /**
     * Waits until a fault has struck: something was cut, damaged, stalled, refused or full. A delay
     * or a split is none that does.
     *
     * @param atMost how long to wait
     * @return whether one has
     * @throws InterruptedException if the waiting thread was interrupted
     */
    public boolean awaitStruck(Duration atMost) throws InterruptedException {
        return struck.await(atMost.toNanos(), TimeUnit.NANOSECONDS);
    }

    /**
     * Something else goes wrong from now on, on what is open: its byte is counted from the next one
     * that moves there. A cut at byte 0 is made before this returns. Any thread.
     *
     * @param fault no REFUSE
     */
    public void strike(Fault fault) {
        for (State end : ends) end.strike(fault);
    }

    /**
     * How many channels were opened or accepted so far.
     *
     * @return of all ends
     */
    public int channels() {
        return ends.stream().mapToInt(end -> end.channels.get()).sum();
    }

    private final class FaultyOpener extends ForwardingOpener {
        private final State state = new State();

        FaultyOpener(Opener end) {
            super(end);
        }

        @Override
        public Channel open() throws IOException {
            state.call("open");
            return super.open();
        }

        @Override
        protected Channel over(Channel channel) {
            return state.channel(channel);
        }

        @Override
        public void release() {
            state.release();
            super.release();
        }
    }

    private final class FaultyAcceptor extends ForwardingAcceptor {
        private final State state = new State();

        FaultyAcceptor(Acceptor end, String scheme) {
            super(end, scheme);
        }

        @Override
        public Channel accept() throws IOException {
            state.call("accept");
            return super.accept();
        }

        @Override
        protected Channel over(Channel channel) {
            return state.channel(channel);
        }

        @Override
        public void release() {
            state.release();
            super.release();
        }
    }

    private final class FaultyOutgoingFile extends ForwardingOutgoingFile {
        private final State state = new State();

        FaultyOutgoingFile(OutgoingFile end) {
            super(end);
        }

        @Override
        public PositionedFile file(boolean direct) throws IOException {
            state.call("file");
            return super.file(direct);
        }

        @Override
        protected PositionedFile over(PositionedFile file, boolean direct) {
            return state.file(file);
        }

        @Override
        public void release() {
            state.release();
            super.release();
        }
    }

    private final class FaultyIncomingFile extends ForwardingIncomingFile {
        private final State state = new State();

        FaultyIncomingFile(IncomingFile end) {
            super(end);
        }

        @Override
        public PositionedFile file(boolean direct) throws IOException {
            state.call("file");
            return super.file(direct);
        }

        @Override
        protected PositionedFile over(PositionedFile file, boolean direct) {
            return state.file(file);
        }

        @Override
        public void release() {
            state.release();
            super.release();
        }
    }

    /** What one end has come to. */
    private final class State {
        private final CountDownLatch gone = new CountDownLatch(1);
        private final List<CountDownLatch> stalled = new CopyOnWriteArrayList<>();
        private final AtomicInteger calls = new AtomicInteger();
        private final AtomicInteger channels = new AtomicInteger();
        private final Map<Integer, FaultyChannel> open = new ConcurrentHashMap<>();
        private FaultyBytes read;
        private FaultyBytes written;

        State() {
            ends.add(this);
        }

        void strike(Fault fault) {
            FaultyChannel channel = open.get(fault.channel());
            if (channel != null) channel.strike(fault);
            synchronized (this) {
                if (read != null) (fault.reading() ? read : written).add(fault);
            }
            if (fault.kind() == Fault.Kind.CUT && fault.at() == 0) struck.countDown();
        }

        void call(String what) throws IOException {
            int number = calls.incrementAndGet();
            for (Fault fault : faults) {
                if (fault.kind() != Fault.Kind.REFUSE || fault.at() != number) continue;
                struck.countDown();
                throw new IOException(
                        "injected fault: call %d, %s, is refused".formatted(number, what));
            }
        }

        Channel channel(Channel channel) {
            int number = channels.getAndIncrement();
            CountDownLatch closed = new CountDownLatch(1);
            stalled.add(closed);
            if (gone.getCount() == 0) closed.countDown();
            FaultyChannel faulty =
                    new FaultyChannel(channel, bytes(number, true), bytes(number, false), closed);
            open.put(number, faulty);
            return faulty;
        }

        /** Lets go whoever is stalled. */
        void release() {
            gone.countDown();
            stalled.forEach(CountDownLatch::countDown);
        }

        /** Both files of an end count together. */
        synchronized PositionedFile file(PositionedFile file) {
            if (read == null) {
                read = bytes(-1, true);
                written = bytes(-1, false);
            }
            return new FaultyFile(file, read, written, gone);
        }

        private FaultyBytes bytes(int channel, boolean reading) {
            return new FaultyBytes(
                    faults.stream()
                            .filter(f -> f.kind() != Fault.Kind.REFUSE && f.reading() == reading)
                            .filter(f -> channel < 0 || f.channel() == channel)
                            .toList(),
                    struck::countDown);
        }
    }
}
