package org.vmferry.testkit.parts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.Opener;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;
import org.vmferry.testkit.fault.Fault;
import org.vmferry.testkit.fault.Faults;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Each fault strikes where it was told to. */
class FaultTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final byte[] BYTES = new byte[1000];

    static {
        for (int i = 0; i < BYTES.length; i++) BYTES[i] = (byte) i;
    }

    @TempDir Path folder;

    /** A faulty source before a sound destination. */
    private record Link(Faults faults, Acceptor in, Opener out, Channel from, Channel to)
            implements AutoCloseable {
        static Link of(Fault... faults) throws IOException {
            TcpTransport tcp = new TcpTransport();
            Faults faulty = new Faults(faults);
            Acceptor in = tcp.acceptor(Address.parse("tcp:127.0.0.1:0"), Options.DEFAULTS);
            Opener out =
                    faulty.over(tcp)
                            .opener(
                                    new Address("faulty-tcp", in.address().target()),
                                    Options.DEFAULTS);
            Channel from = out.open();
            return new Link(faulty, in, out, from, in.accept());
        }

        void send() throws IOException {
            ByteBuffer bytes = ByteBuffer.wrap(BYTES);
            while (bytes.hasRemaining()) from.write(bytes);
        }

        /** All that arrives until the end, or until the connection is lost. */
        byte[] arrived() {
            ByteBuffer got = ByteBuffer.allocate(5000);
            try {
                while (to.read(got) >= 0) {}
            } catch (IOException e) {
                // Lost: what came before counts.
            }
            return Arrays.copyOf(got.array(), got.position());
        }

        boolean struck() throws InterruptedException {
            return faults.awaitStruck(Duration.ZERO);
        }

        @Override
        public void close() {
            out.close();
            in.close();
        }
    }

    @Test
    void aCutIsAtItsByte() throws Exception {
        try (Link link = Link.of(Fault.cut(321))) {
            assertThatThrownBy(link::send).hasMessageContaining("cut at byte 321");
            assertThat(link.struck()).isTrue();
            assertThat(link.arrived()).isEqualTo(Arrays.copyOf(BYTES, 321));
        }
    }

    @Test
    void damageIsDoneToOneByte() throws Exception {
        try (Link link = Link.of(Fault.corrupt(500, 0x81), Fault.split(7))) {
            ByteBuffer piece = ByteBuffer.wrap(BYTES);
            assertThat(link.from.write(piece)).isEqualTo(7);
            while (piece.hasRemaining()) link.from.write(piece);
            link.from.shutdownOutput();
            byte[] expected = BYTES.clone();
            expected[500] ^= (byte) 0x81;
            assertThat(link.arrived()).isEqualTo(expected);
            assertThat(link.struck()).isTrue();
        }
    }

    @Test
    void aFaultThatIsToldOfLaterCountsFromThen() throws Exception {
        try (Link link = Link.of()) {
            link.send();
            link.faults.strike(Fault.corrupt(10, 1));
            link.faults.strike(Fault.cut(321));
            assertThatThrownBy(link::send).hasMessageContaining("cut at byte 1321");
            byte[] arrived = link.arrived();
            assertThat(arrived).hasSize(1321);
            assertThat(arrived[1010]).isEqualTo((byte) (BYTES[10] ^ 1));
        }
    }

    @Test
    void aCutThatIsToldOfLaterIsMadeAtOnce() throws Exception {
        try (Link link = Link.of()) {
            link.send();
            assertThat(link.faults.channels()).isEqualTo(1);
            link.faults.strike(Fault.cut(0));
            assertThat(link.struck()).isTrue();
            assertThat(link.arrived()).isEqualTo(BYTES);
        }
    }

    @Test
    void aStallLastsUntilTheEndIsReleased() throws Exception {
        try (Link link = Link.of(Fault.stall(100))) {
            CompletableFuture<Void> sent =
                    CompletableFuture.runAsync(
                            () -> {
                                try {
                                    link.send();
                                } catch (IOException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            assertThat(link.faults.awaitStruck(LONG)).isTrue();
            assertThat(sent).isNotDone();
            link.out.release();
            assertThatThrownBy(() -> sent.get(30, TimeUnit.SECONDS))
                    .hasMessageContaining("stalled at byte 100");
            assertThat(link.arrived()).hasSize(100);
        }
    }

    @Test
    void aDelayIsOneAndHarmsNothing() throws Exception {
        try (Link link = Link.of(Fault.delay(Duration.ofMillis(20)), Fault.split(500))) {
            long began = System.nanoTime();
            link.send();
            assertThat(System.nanoTime() - began).isGreaterThanOrEqualTo(40_000_000);
            link.from.shutdownOutput();
            assertThat(link.arrived()).isEqualTo(BYTES);
            assertThat(link.struck()).isFalse();
        }
    }

    @Test
    void theSecondChannelIsRefusedOrCut() throws Exception {
        try (Link link = Link.of(Fault.refuse(2))) {
            assertThatThrownBy(link.out::open).hasMessageContaining("call 2, open, is refused");
            link.out.open();
        }
        try (Link link = Link.of(Fault.cut(3).onChannel(1))) {
            link.send();
            Channel second = link.out.open();
            assertThat(second.write(ByteBuffer.wrap(BYTES))).isEqualTo(3);
            assertThatThrownBy(() -> second.write(ByteBuffer.wrap(BYTES)))
                    .hasMessageContaining("cut at byte 3");
        }
    }

    @Test
    void whatIsReadIsCutToo() throws Exception {
        try (Link link = Link.of(Fault.cut(10).whenReading())) {
            link.to.write(ByteBuffer.wrap(BYTES));
            ByteBuffer got = ByteBuffer.allocate(100);
            assertThat(link.from.read(got)).isEqualTo(10);
            assertThatThrownBy(() -> link.from.read(got)).hasMessageContaining("cut at byte 10");
        }
    }

    @Test
    void aDiskFillsUp() throws Exception {
        FileTransport disk = new Faults(Fault.full(1500)).over(new LocalFileTransport());
        Path path = folder.resolve("file");
        try (OutgoingFile end =
                disk.outgoing(new Address("faulty-file", path + ""), Options.DEFAULTS)) {
            PositionedFile file = end.file(false);
            file.write(ByteBuffer.wrap(BYTES), 5000);
            assertThatThrownBy(() -> file.write(ByteBuffer.wrap(BYTES), 0))
                    .isInstanceOf(IOException.class)
                    .hasMessage("No space left on device");
            assertThat(file.read(ByteBuffer.allocate(1000), 0)).isEqualTo(1000);
        }
        assertThat(Files.exists(path)).isFalse();
    }

    @Test
    void aFilesByteIsDamagedOnItsWayInOrOut() throws Exception {
        Path path = folder.resolve("file");
        FileTransport disk = new Faults(Fault.corrupt(70, 1)).over(new LocalFileTransport());
        try (OutgoingFile end =
                disk.outgoing(new Address("faulty-file", path + ""), Options.DEFAULTS)) {
            end.file(false).write(ByteBuffer.wrap(BYTES), 0);
            end.complete();
        }
        byte[] expected = BYTES.clone();
        expected[70] ^= 1;
        assertThat(Files.readAllBytes(path)).isEqualTo(expected);
        FileTransport reader =
                new Faults(Fault.corrupt(70, 1).whenReading(), Fault.split(9))
                        .over(new LocalFileTransport());
        try (IncomingFile end =
                reader.incoming(new Address("faulty-file", path + ""), Options.DEFAULTS)) {
            ByteBuffer got = ByteBuffer.allocate(2000);
            assertThat(end.file(false).read(got, 0)).isEqualTo(1000);
            assertThat(Arrays.copyOf(got.array(), 1000)).isEqualTo(BYTES);
        }
    }
}
