package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.it.support.FullMachine;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;
import org.vmferry.testkit.fault.ForwardingChannelTransport;
import org.vmferry.testkit.fault.ForwardingOpener;
import org.vmferry.testkit.fault.OneBufferChannel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/** In which order a source's main channel and its two of multifd begin, and end. */
@Timeout(60)
class ChannelOrderTest {
    private static final int HELLO = 64; // bytes
    private static final int MIB = 1 << 20;

    private final CountDownLatch released = new CountDownLatch(1); // the source's end
    private final List<String> faults = new CopyOnWriteArrayList<>();

    @AfterEach
    void nothingIsLeft() throws Exception {
        Leftovers.assertNoThreads();
    }

    /** Whether something happens soon; told, and no longer waited for, if it is too late. */
    private boolean soon(CountDownLatch what, String fault) throws IOException {
        try {
            if (what.await(5, TimeUnit.SECONDS)) return true;
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        faults.add(fault);
        return false;
    }

    /** Migrates over channels that these make of TCP's, by their number; the main one is 0. */
    private Migration migrate(IntFunction<Over> overs, Settings settings) throws Exception {
        ChannelTransport tcp =
                new ForwardingChannelTransport(new TcpTransport(), "watched") {
                    private int count; // guarded by this

                    private synchronized int next() {
                        return count++;
                    }

                    @Override
                    protected Opener over(Opener end) {
                        return new ForwardingOpener(end) {
                            @Override
                            public Channel open() throws IOException {
                                Over over = overs.apply(next());
                                over.opens();
                                return over.channel(super.open());
                            }

                            @Override
                            public void release() {
                                released.countDown();
                                super.release();
                            }
                        };
                    }
                };
        Settings asked =
                settings.capability("return-path")
                        .capability("multifd")
                        .parameter("multifd-channels", "2");
        Engine engine = new Engine(Plugins.discover().plus(tcp));
        FullMachine to = new FullMachine(MIB, RunState.INMIGRATE);
        Migration load = engine.receive(to, "tcp:127.0.0.1:0", asked);
        Migration save =
                engine.send(
                        new FullMachine(MIB, RunState.RUNNING).live(),
                        "watched:" + load.address().target(),
                        asked);
        load.await();
        save.await();
        assertThat(to.runState()).isEqualTo(RunState.RUNNING);
        return save;
    }

    /** What is made of a channel. */
    private interface Over {
        default void opens() throws IOException {}

        Channel channel(Channel real);
    }

    /**
     * The first of multifd's channels is not there before the second one is being opened, and that
     * one not before the first has said hello; its own hello takes long.
     */
    @Test
    @Tag("MFD-3")
    void helloIsSaidOnEachAtOnceAndTheMainStreamFollows() throws Exception {
        CountDownLatch mainIsThere = new CountDownLatch(1);
        CountDownLatch secondOpens = new CountDownLatch(1);
        CountDownLatch firstGreeted = new CountDownLatch(1);
        CountDownLatch mainBegins = new CountDownLatch(1);
        migrate(
                number ->
                        new Over() {
                            @Override
                            public void opens() throws IOException {
                                if (number == 0) return;
                                if (mainIsThere.getCount() > 0) faults.add("before the main one");
                                if (number == 1) soon(secondOpens, "not side by side");
                                secondOpens.countDown();
                                if (number == 2) soon(firstGreeted, "no hello at once");
                            }

                            @Override
                            public Channel channel(Channel real) {
                                if (number == 0) mainIsThere.countDown();
                                return new OneBufferChannel(real) {
                                    private int written;

                                    @Override
                                    public int write(ByteBuffer source) throws IOException {
                                        if (number == 0) mainBegins.countDown();
                                        if (number == 2 && written < HELLO) linger();
                                        int bytes = super.write(source);
                                        written += bytes;
                                        if (number == 1 && written == HELLO)
                                            firstGreeted.countDown();
                                        return bytes;
                                    }

                                    @Override
                                    public int read(ByteBuffer target) throws IOException {
                                        if (number > 0) faults.add("an answer is waited for");
                                        return super.read(target);
                                    }
                                };
                            }

                            private void linger() throws IOException {
                                try {
                                    if (mainBegins.await(200, TimeUnit.MILLISECONDS))
                                        faults.add("the main stream before the last hello");
                                } catch (InterruptedException e) {
                                    throw new IOException(e);
                                }
                            }
                        },
                Settings.NONE);
        assertThat(faults).isEmpty();
    }

    /** Each ends when all others are about to. */
    @Test
    @Tag("MFD-20")
    void allEndAtOnce() throws Exception {
        CountDownLatch closing = new CountDownLatch(3);
        migrate(
                number ->
                        real ->
                                new OneBufferChannel(real) {
                                    @Override
                                    public void close() throws IOException {
                                        closing.countDown();
                                        soon(closing, number + " ends without the others");
                                        super.close();
                                    }
                                },
                Settings.NONE);
        assertThat(faults).isEmpty();
    }

    /** No channel can be ended before it is let go, when the guest runs at the destination. */
    @Test
    @Tag("MFD-20")
    void thereIsOneBoundForAll() throws Exception {
        migrate(
                number ->
                        real ->
                                new OneBufferChannel(real) {
                                    @Override
                                    public void shutdownOutput() throws IOException {
                                        soon(released, number + " is not let go");
                                        throw new IOException("let go");
                                    }
                                },
                Settings.NONE.parameter("silence-timeout", "1000"));
        assertThat(faults).isEmpty();
    }
}
