package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.Feature;
import org.vmferry.spi.Status;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/**
 * The bytes of a transport's channels: docs/spi/transport.md. {@link ChannelTransportConformance}
 * has them, and what makes channels.
 */
@Status(Status.Level.STABLE)
public abstract sealed class ChannelConformance extends TransportConformance<ChannelTransport>
        permits ChannelTransportConformance {
    ChannelConformance() {}

    private static final int MUCH = 12 << 20; // more than a system keeps under way
    private static final int PIECE = 1 << 20; // of it

    /** Both ends, connected by their main channel. */
    @Status(Status.Level.STABLE)
    final class Link implements AutoCloseable {
        final Acceptor acceptor;
        final Opener opener;
        final Channel from;
        final Channel to;

        Link() throws Exception {
            acceptor = provider().acceptor(destination(), options());
            try {
                opener = provider().opener(source(acceptor.address()), options());
            } catch (Exception e) {
                acceptor.close();
                throw e;
            }
            try {
                from = within("open(): hangs", opener::open);
                to = within("accept(): hangs", acceptor::accept);
            } catch (Exception | AssertionError e) {
                close();
                throw e;
            }
        }

        @Override
        public void close() {
            opener.release();
            acceptor.release();
            opener.close();
            acceptor.close();
        }
    }

    private void needsWayBack() throws Exception {
        needs(
                provider().features().contains(Feature.RETURN_PATH),
                "features(): has no RETURN_PATH");
    }

    private static Void write(Channel channel, byte[] bytes, CountDownLatch begun)
            throws IOException {
        begun.countDown();
        return write(channel, bytes);
    }

    static Void write(Channel channel, byte[] bytes) throws IOException {
        writeAll(channel, buffer(bytes));
        return null;
    }

    private static void writeAll(Channel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            int left = buffer.remaining();
            int count = channel.write(buffer);
            if (buffer.remaining() == left) moved(count, "write(): %d of %d bytes", left);
        }
    }

    private static void readAll(Channel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            int left = buffer.remaining();
            int count = channel.read(buffer);
            if (count < 0) return;
            if (buffer.remaining() == left) moved(count, "read(): %d into room for %d", left);
        }
    }

    /** A call that moves nothing would be made for ever. */
    private static void moved(long count, String what, long left) {
        fail(what.formatted(count, left) + ": it must wait, and move one byte at least");
    }

    /** Reads so many bytes, or fewer if the peer ends before. */
    static byte[] read(Channel channel, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(length);
        readAll(channel, buffer);
        byte[] bytes = new byte[buffer.flip().remaining()];
        buffer.get(bytes);
        return bytes;
    }

    private void passes(Channel from, Channel to, byte[] bytes, String lookAt) throws Exception {
        Call<Void> writing = begin(() -> write(from, bytes));
        assertArrayEquals(
                bytes,
                meanwhile(List.of(writing), lookAt + " (hangs)", () -> read(to, bytes.length)),
                lookAt);
        end(writing, lookAt);
    }

    @Test
    @Tag("TRN-9")
    final void bytesArriveInOrderAndOnce() throws Exception {
        try (Link link = new Link()) {
            for (int length : new int[] {1, 4095, 1 << 20}) {
                passes(link.from, link.to, noise(length, length), "write(), read(): other bytes");
            }
            // A heap buffer's bytes, from its middle.
            byte[] bytes = noise(100_000, 5);
            ByteBuffer heap = ByteBuffer.wrap(bytes, 500, 90_000);
            Call<Void> writing =
                    begin(
                            () -> {
                                writeAll(link.from, heap);
                                return null;
                            });
            ByteBuffer got = ByteBuffer.allocate(90_000);
            meanwhile(
                    List.of(writing),
                    "read(): hangs with a heap buffer",
                    () -> {
                        readAll(link.to, got);
                        return null;
                    });
            end(writing, "write(): hangs with a heap buffer");
            assertEquals(
                    ByteBuffer.wrap(bytes, 500, 90_000),
                    got.flip(),
                    "write(), read(): heap buffers");
            if (provider().features().contains(Feature.RETURN_PATH)) {
                passes(link.to, link.from, noise(1 << 20, 7), "write(), read(): the way back");
            }
        }
    }

    @Test
    @Tag("TRN-10")
    final void buffersAreGatheredAndScattered() throws Exception {
        try (Link link = new Link()) {
            byte[] bytes = noise(300_000, 1);
            ByteBuffer[] sources = new ByteBuffer[2002];
            int at = 0;
            for (int i = 0; i < sources.length; i++) {
                int length = i == 0 || i == 2001 ? 0 : i == 2000 ? bytes.length - at : i % 7 * 20;
                sources[i] = ByteBuffer.allocateDirect(length).put(bytes, at, length).flip();
                at += length;
            }
            Call<Void> writing =
                    begin(
                            () -> {
                                long left = bytes.length;
                                while (left > 0) {
                                    long count = link.from.write(sources, 1, 2000);
                                    if (count < 1)
                                        moved(count, "write(ByteBuffer[]): %d of %d bytes", left);
                                    left -= count;
                                }
                                return null;
                            });
            ByteBuffer[] targets = new ByteBuffer[3];
            for (int i = 0; i < 3; i++) targets[i] = ByteBuffer.allocateDirect(100_000);
            meanwhile(
                    List.of(writing),
                    "read(ByteBuffer[]): hangs",
                    () -> {
                        for (long left = bytes.length, n = 0; left > 0 && n >= 0; left -= n) {
                            n = link.to.read(targets);
                            if (n == 0) moved(n, "read(ByteBuffer[]): %d into room for %d", left);
                        }
                        return null;
                    });
            end(writing, "write(ByteBuffer[]): hangs, or counts wrong");
            byte[] got = new byte[bytes.length];
            for (int i = 0; i < 3; i++) targets[i].flip().get(got, i * 100_000, 100_000);
            assertArrayEquals(bytes, got, "write(ByteBuffer[]), read(ByteBuffer[]): other bytes");
        }
    }

    @Test
    @Tag("TRN-11")
    final void aReadWaitsForAByte() throws Exception {
        try (Link link = new Link()) {
            Call<Integer> reading = begin(() -> link.to.read(ByteBuffer.allocateDirect(10)));
            try {
                int early = reading.get(quiet().toNanos(), TimeUnit.NANOSECONDS);
                throw new AssertionError("read(): gave " + early + " while nothing was sent");
            } catch (TimeoutException e) {
                write(link.from, new byte[1]);
            }
            assertEquals(1, end(reading, "read(): a byte that is there must be given"));
        }
    }

    @Test
    @Tag("TRN-12")
    final void theOutgoingDirectionEndsInOrder() throws Exception {
        try (Link link = new Link()) {
            byte[] bytes = noise(200_000, 1);
            Call<Void> writing =
                    begin(
                            () -> {
                                write(link.from, bytes);
                                link.from.shutdownOutput();
                                return null;
                            });
            byte[] got =
                    meanwhile(
                            List.of(writing),
                            "shutdownOutput(): the peer waits for its end",
                            () -> read(link.to, bytes.length + 1));
            end(writing, "shutdownOutput(): hangs");
            assertArrayEquals(bytes, got, "shutdownOutput(): the peer must read all, and then -1");
        }
    }

    @Test
    @Tag("TRN-37")
    final void whatWasEndedInOrderIsReadThoughItIsClosed() throws Exception {
        try (Link link = new Link()) {
            byte[] bytes = noise(3000, 1);
            write(link.from, bytes);
            link.from.shutdownOutput();
            link.from.close();
            String lookAt =
                    "close(): after shutdownOutput() the peer must still read all, and then -1";
            assertArrayEquals(
                    bytes,
                    works(lookAt, () -> within(lookAt, () -> read(link.to, bytes.length + 1))),
                    lookAt);
        }
    }

    @Test
    @Tag("TRN-13")
    final void theOtherDirectionGoesOn() throws Exception {
        needsWayBack();
        try (Link link = new Link()) {
            write(link.from, new byte[1]);
            link.from.shutdownOutput();
            byte[] answer = noise(1000, 1);
            write(link.to, answer);
            String lookAt = "shutdownOutput(): reading must go on";
            assertArrayEquals(
                    answer,
                    works(lookAt, () -> within(lookAt, () -> read(link.from, 1000))),
                    lookAt);
        }
    }

    @Test
    @Tag("TRN-14")
    final void bothDirectionsAtOnce() throws Exception {
        needsWayBack();
        try (Link link = new Link()) {
            byte[] there = noise(MUCH, 1);
            byte[] back = noise(MUCH, 2);
            String lookAt = "read(), write(): one thread must read while another writes";
            CountDownLatch begun = new CountDownLatch(2);
            Call<Void> a = begin(() -> write(link.from, there, begun));
            Call<Void> b = begin(() -> write(link.to, back, begun));
            begun.await();
            for (int at = 0; at < MUCH; at += PIECE) { // each in its time: to be slow is no fault
                Call<byte[]> c = begin(() -> read(link.from, PIECE));
                Call<byte[]> d = begin(() -> read(link.to, PIECE));
                assertArrayEquals(piece(there, at), end(d, lookAt), lookAt);
                assertArrayEquals(piece(back, at), end(c, lookAt), lookAt);
            }
            end(a, lookAt);
            end(b, lookAt);
        }
    }

    private static byte[] piece(byte[] bytes, int at) {
        return Arrays.copyOfRange(bytes, at, at + PIECE);
    }

    @Test
    @Tag("TRN-15")
    final void closingLetsGoWhoHangs() throws Exception {
        try (Link link = new Link()) {
            CountDownLatch begun = new CountDownLatch(1);
            Call<byte[]> reading = reading(link.to, begun);
            soon(begun, 200);
            link.to.close();
            letGo(reading, "close() of a channel: must let go who reads, with an IOException");
            assertFalse(link.to.isOpen(), "isOpen(): after close()");
        }
    }

    /** Nobody can see from outside whether a thread hangs in a call already. */
    static void soon(CountDownLatch begun, int ms) throws InterruptedException {
        begun.await();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(ms));
    }

    /** Reads a byte that won't come. */
    static Call<byte[]> reading(Channel channel, CountDownLatch begun) {
        return begin(
                () -> {
                    begun.countDown();
                    ByteBuffer one = ByteBuffer.allocateDirect(1);
                    if (channel.read(one) < 0) throw new AssertionError("read(): -1, not let go");
                    return new byte[1];
                });
    }

    @Test
    @Tag("TRN-32")
    final void aChannelSaysWhoIsThere() throws Exception {
        try (Link link = new Link()) {
            for (Channel channel : List.of(link.from, link.to)) {
                assertNotNull(channel.peer(), "peer(): goes into messages");
                assertFalse(channel.peer().isBlank(), "peer(): goes into messages");
            }
        }
    }

    @Test
    @Tag("TRN-33")
    final void aClosedChannelIsRefused() throws Exception {
        try (Link link = new Link()) {
            link.from.close();
            assertThrows(
                    IOException.class,
                    () -> write(link.from, new byte[1 << 20]),
                    "write(): to a channel that was closed");
        }
    }
}
