package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.Feature;
import org.vmferry.spi.Status;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.Opener;
import org.vmferry.spi.transport.TransportEnd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A transport with channels: docs/spi/transport.md. Rules that don't apply to what it claims are
 * skipped, and what it doesn't claim must be refused.
 */
@Status(Status.Level.STABLE)
public abstract non-sealed class ChannelTransportConformance extends ChannelConformance {
    /** For the author's class. */
    protected ChannelTransportConformance() {}

    @Override
    final TransportEnd sourceEnd(Address address) throws Exception {
        return provider().opener(address, options());
    }

    /**
     * An address where no destination is.
     *
     * @return by default one where a destination just was; empty if the transport can't tell that
     *     nobody is there until it writes
     * @throws Exception if there can't be one
     */
    protected Optional<Address> unreachable() throws Exception {
        try (Acceptor end = provider().acceptor(destination(), options())) {
            return Optional.of(source(end.address()));
        }
    }

    @Test
    @Tag("TRN-1")
    final void itsFeaturesDoNotChange() throws Exception {
        var provider = provider();
        var features = provider.features();
        assertEquals(features, provider.features(), "features(): differ from call to call");
    }

    @Test
    @Tag("TRN-2")
    final void aSourceOpensNothingUntilItIsAskedTo() throws Exception {
        Optional<Address> nobody = unreachable();
        sourceEndOpensNothing(nobody.isPresent() ? nobody.get() : source(destination()));
    }

    @Test
    @Tag("TRN-4")
    final void nobodyThereIsAnError() throws Exception {
        Optional<Address> nobody = unreachable();
        needs(nobody.isPresent(), "unreachable(): gives no address");
        String early = "opener(): nobody is there, which is for open() to find out";
        try (Opener end = works(early, () -> provider().opener(nobody.get(), options()))) {
            refused(
                    "open(): nobody is there, which is an IOException",
                    () -> within("open(): hangs where nobody is", end::open),
                    IOException.class);
        }
    }

    @Test
    @Tag("TRN-7")
    final void withoutManyChannelsASecondIsRefused() throws Exception {
        needs(
                !provider().features().contains(Feature.MANY_CHANNELS),
                "features(): has MANY_CHANNELS");
        try (Link link = new Link()) {
            refused(
                    "open(): MANY_CHANNELS is not claimed, and a second channel was opened",
                    () -> within("open(): hangs at the second channel", link.opener::open),
                    IOException.class,
                    IllegalStateException.class);
        }
    }

    @Test
    @Tag("TRN-8")
    final void itListensWhenAcceptorReturns() throws Exception {
        try (Acceptor in = provider().acceptor(destination(), options())) {
            assertEquals(provider().id(), in.address().scheme(), "address(): of another scheme");
            assertEquals(in.address(), in.address(), "address(): differs from call to call");
            try (Opener out = provider().opener(source(in.address()), options())) {
                // Nobody accepts yet.
                within(
                        "acceptor(): must be ready for a source when it returns",
                        () -> {
                            Channel channel = out.open();
                            write(channel, new byte[] {42});
                            return channel;
                        });
                Channel here = within("accept(): hangs", in::accept);
                byte[] got = within("read(): hangs, though a byte was sent", () -> read(here, 1));
                assertArrayEquals(new byte[] {42}, got, "accept(): what was sent before is lost");
                out.release();
                in.release();
            }
        }
    }

    @Test
    @Tag("TRN-16")
    final void releasingLetsGoWhoReads() throws Exception {
        try (Link link = new Link()) {
            CountDownLatch begun = new CountDownLatch(1);
            Call<byte[]> reading = reading(link.to, begun);
            soon(begun, 200);
            link.acceptor.release();
            letGo(reading, "release() of an end: must let go who reads from its channels");
        }
    }

    @Test
    @Tag("TRN-17")
    final void releasingLetsGoWhoWrites() throws Exception {
        try (Link link = new Link()) {
            CountDownLatch begun = new CountDownLatch(1);
            Call<Void> writing =
                    begin(
                            () -> {
                                while (true) {
                                    write(link.from, new byte[1 << 16]);
                                    begun.countDown();
                                }
                            });
            assertTrue(begun.await(patience().toNanos(), TimeUnit.NANOSECONDS), "write(): hangs");
            link.opener.release();
            letGo(writing, "release() of an end: must let go who writes to its channels");
        }
    }

    @Test
    @Tag("TRN-18")
    final void releasingLetsGoWhoAccepts() throws Exception {
        for (int ms : new int[] {0, 20, 500}) releasesWhoAccepts(ms);
    }

    private void releasesWhoAccepts(int ms) throws Exception {
        try (Acceptor in = provider().acceptor(destination(), options())) {
            CountDownLatch begun = new CountDownLatch(1);
            Call<Channel> accepting =
                    begin(
                            () -> {
                                begun.countDown();
                                Channel channel = in.accept(); // some need no source for it
                                channel.read(ByteBuffer.allocateDirect(1));
                                return channel;
                            });
            soon(begun, ms);
            in.release();
            letGo(accepting, "release(): must let go who accepts");
        }
    }

    @Test
    @Tag("TRN-19")
    final void whatWasReleasedOpensNoMore() throws Exception {
        try (Acceptor in = provider().acceptor(destination(), options());
                Opener out = provider().opener(source(in.address()), options())) {
            out.release();
            refused(
                    "open(): after release() it is of no use",
                    () -> within("open(): hangs after release()", out::open),
                    IOException.class);
            in.release();
            refused(
                    "accept(): after release() it is of no use",
                    () -> within("accept(): hangs after release()", in::accept),
                    IOException.class);
        }
    }

    private void needsManyChannels() throws Exception {
        needs(
                provider().features().contains(Feature.MANY_CHANNELS),
                "features(): has no MANY_CHANNELS");
    }

    @Test
    @Tag("TRN-20")
    final void manyChannelsReachTheSameDestination() throws Exception {
        needsManyChannels();
        try (Link link = new Link()) {
            Set<Integer> numbers = new TreeSet<>();
            List<Call<Channel>> opened = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                byte number = (byte) i;
                numbers.add(i);
                opened.add(
                        begin(
                                () -> {
                                    Channel channel = link.opener.open();
                                    write(channel, new byte[] {number});
                                    return channel;
                                }));
            }
            Set<Integer> arrived = new TreeSet<>();
            String lookAt = "open(): later channels go where the first went, many at once";
            for (int i = 0; i < 8; i++) {
                arrived.add(
                        meanwhile(opened, lookAt, () -> (int) read(link.acceptor.accept(), 1)[0]));
            }
            for (Call<Channel> one : opened) end(one, lookAt);
            assertEquals(numbers, arrived, lookAt);
        }
    }

    @Test
    @Tag("TRN-35")
    final void channelsOfOneSourceHaveOneOrigin() throws Exception {
        needsManyChannels();
        try (Link link = new Link()) {
            Set<String> origins = new HashSet<>();
            List<Channel> here = new ArrayList<>(List.of(link.to));
            for (int i = 0; i < 2; i++) {
                within("open(): hangs", link.opener::open);
                here.add(within("accept(): hangs", link.acceptor::accept));
            }
            for (Channel channel : here) {
                assertNotNull(channel.origin(), "origin(): empty if it can't be told");
                origins.add(channel.origin());
                origins.add(channel.origin());
            }
            assertEquals(1, origins.size(), "origin(): of one source's channels: " + origins);
        }
    }

    @Test
    @Tag("TRN-36")
    final void whatHasComeIsGivenOnceAndNotWaitedFor() throws Exception {
        needsManyChannels();
        String lookAt = "acceptNow(): gives what has come, once, and does not wait";
        try (Link link = new Link()) {
            assertTrue(within(lookAt, link.acceptor::acceptNow).isEmpty(), lookAt);
            Channel there = within("open(): hangs", link.opener::open);
            write(there, new byte[] {7});
            Optional<Channel> now = within(lookAt, link.acceptor::acceptNow);
            Channel here =
                    now.isPresent() ? now.get() : within("accept(): hangs", link.acceptor::accept);
            assertArrayEquals(new byte[] {7}, within(lookAt, () -> read(here, 1)), lookAt);
            assertTrue(within(lookAt, link.acceptor::acceptNow).isEmpty(), lookAt);
        }
    }
}
