package org.vmferry.engine.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vmferry.engine.tls.TlsChannelTest.get;
import static org.vmferry.engine.tls.TlsChannelTest.read;
import static org.vmferry.engine.tls.TlsChannelTest.start;
import static org.vmferry.engine.tls.TlsChannelTest.write;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ForwardingChannel;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.security.Security;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** TLS 1.3 changes its keys under a channel that carries data one way, or both. */
class KeyUpdateTest {
    private static final int MIB = 1 << 20;

    private static final int MUCH = 6 * MIB;

    @TempDir static Path directory;
    private static TlsCredentials server;
    private static TlsCredentials client;

    private Acceptor in;
    private Opener out;
    private Watched below;
    private TlsChannel source;
    private TlsChannel destination;

    @BeforeAll
    static void make() throws Exception {
        TestCertificates certificates = new TestCertificates(directory);
        server =
                TlsCredentials.server(
                        certificates.directory("server", "ca", "server", "PRIVATE KEY"), true);
        client =
                TlsCredentials.client(
                        certificates.directory("client", "ca", "client", "PRIVATE KEY"), true);
    }

    @BeforeEach
    void connect() throws Exception {
        in = new TcpTransport().acceptor(Address.parse("tcp:127.0.0.1:0"), Options.DEFAULTS);
        out = new TcpTransport().opener(in.address(), Options.DEFAULTS);
        Channel there = out.open();
        below = new Watched(in.accept());
        FutureTask<TlsChannel> accepting =
                start(() -> TlsChannel.accept(below, server, "", 10_000));
        source = TlsChannel.connect(there, client, "ferry.test", 10_000);
        destination = get(accepting);
        source.own().lasts(MIB);
    }

    @AfterEach
    void nothingStays() {
        out.close();
        in.close();
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(t -> t.getName().startsWith("vmferry-"));
    }

    @Test
    void whoWasNeverWrittenToIsToldNothingBeforeTheEnd() throws Exception {
        long before = below.written.get();
        FutureTask<Void> writing = start(() -> write(source, MUCH));
        read(destination, MUCH);
        get(writing);
        assertThat(source.own().changes()).isGreaterThanOrEqualTo(MUCH / MIB - 1);
        assertThat(below.written).hasValue(before);
        source.shutdownOutput();
        assertThat(destination.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        destination.close();
        assertThat(below.written.get() - before).as("one answer, and close_notify").isLessThan(200);
        assertThat(source.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        source.close();
    }

    @Test
    void whoWasToldNothingCannotBeWrittenToLater() throws Exception {
        FutureTask<Void> writing = start(() -> write(source, 2 * MIB));
        read(destination, 2 * MIB);
        get(writing);
        assertThatThrownBy(() -> destination.write(ByteBuffer.allocate(1)))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("jdk.tls.keyLimits");
    }

    @Test
    void whoWasWrittenToIsAnsweredAtOnce() throws Exception {
        destination.write(ByteBuffer.allocate(0));
        long before = below.written.get();
        FutureTask<Void> writing = start(() -> write(source, MUCH));
        read(destination, MUCH);
        get(writing);
        assertThat(source.own().changes()).isGreaterThanOrEqualTo(MUCH / MIB - 1);
        assertThat(destination.own().changes()).isEqualTo(source.own().changes());
        assertThat(below.written.get() - before).isGreaterThan(0);
        write(destination, 1 << 16); // under the last of all these keys
        read(source, 1 << 16);
    }

    /** Else the JDK would ask the peer for another key first, which not every peer bears. */
    @Test
    void aKeyIsChangedBeforeTheJdkAsksForIt() {
        Matcher limits =
                Pattern.compile("KeyUpdate 2\\^(\\d+)")
                        .matcher(Security.getProperty("jdk.tls.keyLimits"));
        assertThat(limits.results().map(limit -> 1L << Integer.parseInt(limit.group(1))))
                .isNotEmpty()
                .allMatch(limit -> OwnKey.LASTS < limit);
    }

    @Test
    void whoHasHeardThePeersEndGoesOnUnderOneKey() throws Exception {
        destination.own().lasts(MIB);
        source.shutdownOutput();
        assertThat(destination.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        FutureTask<Void> writing = start(() -> write(destination, 3 * MIB));
        read(source, 3 * MIB);
        get(writing);
    }

    @Test
    void bothMayChangeTheirKeysAtOnce() throws Exception {
        source.write(ByteBuffer.allocate(0)); // before its reader is asked, as the other
        destination.write(ByteBuffer.allocate(0));
        source.own().lasts(MIB / 64);
        destination.own().lasts(MIB / 48);
        int some = 2 * MIB;
        FutureTask<Void> forth = start(() -> write(source, some));
        FutureTask<Void> back = start(() -> write(destination, some));
        FutureTask<Void> there = start(() -> read(destination, some));
        FutureTask<Void> here = start(() -> read(source, some));
        get(there);
        get(here);
        get(forth);
        get(back);
    }

    @Test
    void aPeerThatTakesNoAnswerIsNotWaitedForForEver() throws Exception {
        destination.write(ByteBuffer.allocate(0));
        destination.patience(50);
        below.hold();
        write(source, MIB);
        write(source, 1 << 16);
        assertThatThrownBy(() -> read(destination, MIB + (1 << 16)))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("took no answer within 50 ms");
        assertThat(below.isOpen()).isFalse();
    }

    @Test
    void aReaderDoesNotWaitForAWriter() throws Exception {
        below.hold();
        FutureTask<Void> back = start(() -> write(destination, MIB));
        below.held.await();
        FutureTask<Void> forth = start(() -> write(source, MUCH));
        read(destination, MUCH);
        get(forth);
        below.gate.countDown();
        read(source, MIB); // what the writer had in hand, the answers, the rest
        get(back);
    }

    @Test
    void aPeerThatOnlyChangesItsKeyFillsNoHeap() throws Exception {
        below.hold();
        FutureTask<Void> back = start(() -> write(destination, MIB));
        below.held.await();
        source.own().lasts(1);
        FutureTask<Void> forth =
                start(
                        () -> {
                            for (int i = 0; i < 5000; i++) source.write(ByteBuffer.allocate(1));
                            return null;
                        });
        ByteBuffer one = ByteBuffer.allocate(5000);
        assertThatThrownBy(
                        () -> {
                            while (one.hasRemaining()) destination.read(one);
                        })
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("takes no answer");
        get(forth);
        destination.release();
        assertThatThrownBy(() -> get(back)).isInstanceOf(IOException.class);
    }

    /** Counts what is written, and can hold it back. */
    private static final class Watched extends ForwardingChannel {
        final AtomicLong written = new AtomicLong();
        final CountDownLatch held = new CountDownLatch(1);
        private volatile CountDownLatch gate = new CountDownLatch(0);

        Watched(Channel channel) {
            super(channel);
        }

        void hold() {
            gate = new CountDownLatch(1);
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            if (gate.getCount() > 0) held.countDown();
            try {
                gate.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            if (!real.isOpen()) throw new ClosedChannelException();
            int count = real.write(source);
            written.addAndGet(count);
            return count;
        }

        @Override
        public long write(ByteBuffer[] sources, int offset, int length) {
            throw new UnsupportedOperationException("TLS writes single buffers");
        }

        @Override
        public void release() {
            super.release();
            gate.countDown();
        }
    }
}
