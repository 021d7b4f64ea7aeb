package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.it.support.Guests;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Channel;
import org.vmferry.testkit.fault.ForwardingAcceptor;
import org.vmferry.testkit.fault.ForwardingChannelTransport;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.tls.TestCertificates;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Who connects to a destination beside the source that it waits for, and what becomes of him. */
class ArrivalsTest extends Listening {
    private static final InetAddress STRANGER = address(2);
    private static final UUID NOBODY = new UUID(0, 0);

    @TempDir static Path certificates;

    private static InetAddress address(int last) {
        try {
            return InetAddress.getByAddress(new byte[] {127, 0, 0, (byte) last});
        } catch (java.net.UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static Settings channels(int count) {
        return multifd("none").parameter("multifd-channels", "" + count);
    }

    private static Settings tls(Settings settings) throws Exception {
        TestCertificates made = TestCertificates.in(certificates.resolve("pki"));
        return settings.parameter("tls-creds", made.folder().toString())
                .parameter("tls-hostname", TestCertificates.HOST);
    }

    private Migration send(ReferenceMachine source, Settings settings) throws Exception {
        return engine.send(source, migration.address().toString(), settings);
    }

    /** Never does a source say that it is done with pages that nobody read. */
    @ParameterizedTest(name = "{0} to {1}, return path {2}")
    @CsvSource({"4, 2, true", "3, 1, true", "8, 4, true", "4, 2, false"})
    @Tag("ARR-4")
    @Tag("OWN-22")
    void moreChannelsAtTheSource(int there, int here, boolean answers) throws Exception {
        for (int i = 0; i < 2; i++) {
            try (ReferenceMachine source = guest()) {
                source.enter(RunState.RUNNING);
                listen(channels(here));
                Settings settings = channels(there);
                if (answers) settings = settings.capability("return-path");
                Migration out = send(source, settings);
                assertThat(failure()).contains("id ", "multifd-channels must be the same");
                assertThat(out.await(BOUND)).isTrue();
                if (answers) {
                    assertThat(out.state()).isEqualTo(MigrationState.FAILED);
                    Guests.assertRuns(source);
                }
            }
        }
    }

    /** The low ids first and the rest later, and the main stream's first byte behind them all. */
    @RepeatedTest(3)
    @Tag("ARR-4")
    @Tag("OWN-22")
    void channelsTooManyThatComeLate() throws Exception {
        listen(channels(2));
        Socket main = connect();
        connect(MultifdBytes.hello(0), MultifdBytes.sync(0), MultifdBytes.sync(4));
        connect(MultifdBytes.hello(1), MultifdBytes.sync(1), MultifdBytes.sync(5));
        LockSupport.parkNanos(200_000_000);
        connect(MultifdBytes.hello(2), MultifdBytes.sync(2));
        connect(MultifdBytes.hello(3), MultifdBytes.sync(3));
        main.getOutputStream().write(MultifdBytes.mainWithReturnPath(machine));
        assertThat(failure()).contains("id ", "there are 2 here");
        byte[] answers = main.getInputStream().readAllBytes();
        assertThat(Arrays.copyOfRange(answers, answers.length - 8, answers.length))
                .as("SHUT 1")
                .containsExactly(0, 1, 0, 4, 0, 0, 0, 1);
    }

    /** Its third connection is the last that {@code accept} gives: whoever accepts is late. */
    private static final class LateDoor extends ForwardingChannelTransport {
        LateDoor() {
            super(new TcpTransport(), "late");
        }

        @Override
        protected Acceptor over(Acceptor end) {
            CountDownLatch released = new CountDownLatch(1);
            AtomicInteger accepted = new AtomicInteger();
            return new ForwardingAcceptor(end, id()) {
                @Override
                public Channel accept() throws IOException {
                    if (accepted.incrementAndGet() <= 3) return super.accept();
                    try {
                        released.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    throw new IOException("released");
                }

                @Override
                public void release() {
                    released.countDown();
                    super.release();
                }
            };
        }
    }

    /** What has come before the main stream began is met, however late its connection is taken. */
    @Test
    @Tag("ARR-4")
    @Tag("OWN-22")
    void aChannelTooManyThatNobodyHasAcceptedYet() throws Exception {
        Plugins plugins = Plugins.discover();
        migration =
                new Engine(plugins.plus(new LateDoor()))
                        .receive(machine, "late:127.0.0.1:0", channels(2));
        Socket main = connect();
        connect(MultifdBytes.hello(0), MultifdBytes.sync(0));
        connect(MultifdBytes.hello(1), MultifdBytes.sync(1));
        connect(MultifdBytes.hello(2));
        main.getOutputStream().write(MultifdBytes.main(machine));
        assertThat(failure()).contains("id 2, there are 2 here");
    }

    @ParameterizedTest
    @CsvSource({"1, 2", "2, 4"})
    @Tag("ARR-5")
    @Tag("OWN-23")
    void fewerChannelsAtTheSource(int there, int here) throws Exception {
        try (ReferenceMachine source = guest()) {
            source.enter(RunState.RUNNING);
            listen(channels(here).parameter("connect-timeout", "1000"));
            Migration out = send(source, channels(there).capability("return-path"));
            assertThat(failure()).contains("a channel is missing", "1000 ms");
            assertThat(out.await(BOUND)).isTrue();
            assertThat(out.state()).isEqualTo(MigrationState.FAILED);
            Guests.assertRuns(source);
        }
    }

    /** Its channels came, and it died before its main stream did. */
    @ParameterizedTest
    @CsvSource({"4, 64", "4, 8", "8, 64", "1, 4"})
    @Tag("ARR-4")
    @Tag("OWN-25")
    void aDeadSourcesChannelsDoNotPoisonTheNext(int dead, int bytes) throws Exception {
        listen(channels(4));
        for (int id = 0; id < dead; id++) {
            connect(Arrays.copyOf(MultifdBytes.hello(id), bytes)).close();
        }
        completes(channels(4).capability("return-path"));
    }

    @Test
    @Tag("ARR-4")
    @Tag("OWN-25")
    void aSourceThatIsCancelledWhileItConnects() throws Exception {
        SplittableRandom random = new SplittableRandom(20261128);
        int again = 0;
        for (int i = 0; i < 10; i++) {
            listen(channels(8));
            try (ReferenceMachine first = guest();
                    ReferenceMachine second = guest()) {
                Migration cancelled = send(first, channels(8));
                LockSupport.parkNanos(random.nextInt(8_000_000));
                cancelled.cancel();
                assertThat(cancelled.await(BOUND)).isTrue();
                if (migration.await(Duration.ofMillis(50))) continue; // its main stream came
                again++;
                second.enter(RunState.RUNNING);
                // The first one's main stream may have begun: then both fail, and both must say so.
                Migration out = send(second, channels(8).capability("return-path"));
                assertThat(out.await(BOUND)).isTrue();
                assertThat(migration.await(BOUND)).isTrue();
                assertThat(out.state())
                        .as("%s; %s", out.failure(), migration.failure())
                        .isEqualTo(migration.state());
            } finally {
                migration.cancel();
                migration.await(BOUND);
                newMachine();
            }
        }
        assertThat(again).as("sources that came second").isPositive();
    }

    private void strangersCome() throws Exception {
        for (InetAddress from : List.of(InetAddress.getLoopbackAddress(), STRANGER)) {
            connectFrom(from, "GET / HTTP/1.0\r\n\r\n".getBytes());
            connectFrom(from, new byte[] {'Q'}).close();
            connectFrom(from, new byte[] {0x16});
            connectFrom(from).close();
            Socket reset = connectFrom(from, new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
            reset.setSoLinger(true, 0);
            reset.close();
            connectFrom(
                    from,
                    MultifdBytes.hello(MultifdBytes.MAGIC, 1, new UUID(1, 2), 1)); // another's
            connectFrom(from, MultifdBytes.hello(MultifdBytes.MAGIC, 2, NOBODY, 1));
        }
        // Had it come from the source's address it would have had a say.
        connectFrom(STRANGER, MultifdBytes.hello(0));
        connectFrom(STRANGER, MultifdBytes.hello(7));
    }

    /** Whatever they say, before the genuine source comes and while it sends. */
    @ParameterizedTest
    @ValueSource(strings = {"multifd", "plain", "multifd tls", "plain tls"})
    @Tag("ARR-1")
    @Tag("ARR-2")
    @Tag("ARR-3")
    @Tag("OWN-24")
    void strangersFailNothing(String how) throws Exception {
        Settings settings = how.startsWith("multifd") ? channels(2) : Settings.NONE;
        if (how.endsWith("tls")) settings = tls(settings);
        listen(settings);
        strangersCome();
        try (ReferenceMachine source = restless()) {
            source.enter(RunState.RUNNING);
            Migration out =
                    send(
                            source,
                            settings.capability("return-path").parameter("downtime-limit", "0"));
            await("it goes on", () -> migration.state() == MigrationState.ACTIVE);
            strangersCome();
            connectFrom(InetAddress.getLoopbackAddress(), MultifdBytes.main(machine));
            connectFrom(STRANGER, MultifdBytes.main(machine));
            await("turned away", () -> migration.statistics().turnedAway() >= 20);
            assertThat(migration.state()).isEqualTo(MigrationState.ACTIVE);
            out.change(Settings.NONE.parameter("downtime-limit", "100000"));
            out.await();
        }
        migration.await();
        assertThat(machine.runState()).isEqualTo(RunState.RUNNING);
    }

    private void await(String what, BooleanSupplier condition) {
        long until = System.nanoTime() + BOUND.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(migration.state().isFinal()).as("%s", migration.failure()).isFalse();
            assertThat(System.nanoTime()).as(what).isLessThan(until);
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** More than the 512 that can wait: the genuine one gets through. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("ARR-6")
    @Tag("OWN-24")
    void aFloodOfSilentOnes(boolean withTls) throws Exception {
        Settings settings = withTls ? tls(channels(2)) : channels(2);
        listen(settings);
        List<Socket> flood = new ArrayList<>();
        for (int i = 0; i < 530; i++) {
            flood.add(withTls ? connectFrom(STRANGER, new byte[] {0x16}) : connectFrom(STRANGER));
        }
        completes(settings.capability("return-path"));
        assertThat(migration.statistics().turnedAway()).isPositive();
        for (Socket one : flood) one.close();
    }

    private void completes(Settings settings) throws Exception {
        try (ReferenceMachine source = guest()) {
            source.enter(RunState.RUNNING);
            send(source, settings).await();
        }
        migration.await();
        assertThat(machine.runState()).isEqualTo(RunState.RUNNING);
    }

    /** Who knows the uuid and has the source's address can fail it, and cannot hold it up. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    @Tag("ARR-4")
    @Tag("OWN-22")
    void aForgedHelloFailsItAtOnce(int id) throws Exception {
        listen(channels(2));
        connect(MultifdBytes.hello(id));
        try (ReferenceMachine source = guest()) {
            source.enter(RunState.RUNNING);
            long before = System.nanoTime();
            Migration out = send(source, channels(2).capability("return-path"));
            assertThat(failure()).contains("id " + id + ", which is taken");
            assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(BOUND.dividedBy(2));
            assertThat(out.await(BOUND)).isTrue();
            assertThat(out.state()).isEqualTo(MigrationState.FAILED);
            Guests.assertRuns(source);
        }
    }

    /** A byte now and then keeps nobody waiting: each channel is timed by itself. */
    @Test
    @Tag("ARR-5")
    void aForgerWhoDripsIsNotWaitedFor() throws Exception {
        listen(channels(2).parameter("connect-timeout", "1500"));
        Socket forged = connect(Arrays.copyOf(MultifdBytes.hello(1), 40));
        connect(MultifdBytes.hello(0), MultifdBytes.sync(0));
        connect(MultifdBytes.main(machine));
        Thread drip =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    try {
                                        for (int i = 0;
                                                i < 20 && !migration.state().isFinal();
                                                i++) {
                                            forged.getOutputStream().write(0);
                                            LockSupport.parkNanos(500_000_000);
                                        }
                                    } catch (IOException e) {
                                        // It was turned away.
                                    }
                                });
        assertThat(failure()).contains("a channel is missing", "1500 ms");
        drip.join();
    }

    @Test
    @Tag("ARR-5")
    @Tag("OWN-23")
    void aMainStreamThatEndsWhileChannelsAreAwaited() throws Exception {
        listen(channels(2));
        connect(MultifdBytes.hello(0), MultifdBytes.sync(0));
        connect(MultifdBytes.main(machine)).close();
        assertThat(failure()).contains("main stream", "ended before all of its channels had come");
    }

    /**
     * In the header, behind it, and in the list of blocks: with its channels there, and without.
     */
    @ParameterizedTest
    @CsvSource({"12,2", "30,2", "-24,2", "-24,0", "12,0"})
    @Tag("ARR-5")
    @Tag("OWN-23")
    void aMainStreamThatFallsSilent(int bytes, int channels) throws Exception {
        Settings settings = channels == 0 ? Settings.NONE : channels(channels);
        listen(settings.parameter("connect-timeout", "500"));
        for (int i = 0; i < channels; i++) connect(MultifdBytes.hello(i), MultifdBytes.sync(i));
        byte[] main = MultifdBytes.main(machine);
        // 21 bytes follow the list of blocks.
        connect(Arrays.copyOf(main, bytes < 0 ? main.length + bytes : bytes));
        assertThat(failure()).contains("the main stream from", "fell silent", "500 ms");
    }

    /** A channel without its main stream is let go, and the destination goes on listening. */
    @Test
    @Tag("ARR-5")
    void aChannelWithoutItsMainStream() throws Exception {
        listen(channels(1).parameter("connect-timeout", "500"));
        Socket lonely = connect(MultifdBytes.hello(0));
        assertThat(lonely.getInputStream().read()).as("let go").isEqualTo(-1);
        assertThat(migration.state()).isEqualTo(MigrationState.SETUP);
        completes(channels(1).capability("return-path"));
    }
}
