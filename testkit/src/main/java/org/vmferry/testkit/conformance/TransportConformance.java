package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.TransportProvider.Incoming;
import org.vmferry.spi.transport.TransportProvider.Outgoing;

import java.io.IOException;
import java.util.Optional;

/**
 * A transport: docs/spi/transport.md. Rules that don't apply to what it claims are skipped, and
 * what it doesn't claim must be refused.
 */
public abstract class TransportConformance extends ChannelConformance {
    /** For the author's class. */
    protected TransportConformance() {}

    /**
     * An address that makes no sense to this transport.
     *
     * @return by default empty: the rule is skipped
     */
    protected Optional<Address> nonsense() {
        return Optional.empty();
    }

    /**
     * An address where no destination is.
     *
     * @return by default one where a destination just was; empty if the transport can't tell that
     *     nobody is there until it writes
     * @throws Exception if there can't be one
     */
    protected Optional<Address> unreachable() throws Exception {
        Address place = destination();
        if (seekable()) return Optional.empty();
        try (Incoming end = provider().incoming(place, options())) {
            return Optional.of(source(end.address()));
        }
    }

    @Test
    @Tag("TRN-1")
    final void itsFeaturesDoNotChange() throws Exception {
        var provider = provider();
        var features = provider.features();
        assertEquals(features, provider.features(), "features(): differ from call to call");
        assertTrue(
                !features.contains(Feature.SEEKABLE) || !features.contains(Feature.MANY_CHANNELS),
                "features(): a file has no channels, SEEKABLE and MANY_CHANNELS exclude each"
                        + " other");
    }

    @Test
    @Tag("TRN-2")
    final void aSourceOpensNothingUntilItIsAskedTo() throws Exception {
        Address nobody =
                unreachable().orElse(null) == null ? source(destination()) : unreachable().get();
        within(
                "outgoing(): connects, or waits; that is for open() and file()",
                () -> {
                    provider().outgoing(nobody, options()).close();
                    return null;
                });
        assumeTrue(seekable());
        refused(
                "outgoing(), close(): a file is there, though none was asked for",
                () -> provider().incoming(nobody, options()).close(),
                IOException.class);
    }

    @Test
    @Tag("TRN-3")
    final void nonsenseIsRefusedAtOnce() throws Exception {
        Optional<Address> nonsense = nonsense();
        assumeTrue(nonsense.isPresent());
        refused(
                "outgoing(): '%s' is to be refused there, not when it is opened"
                        .formatted(nonsense.get()),
                () -> provider().outgoing(nonsense.get(), options()),
                MigrationException.class);
    }

    @Test
    @Tag("TRN-4")
    final void nobodyThereIsAnError() throws Exception {
        Optional<Address> nobody = unreachable();
        assumeTrue(nobody.isPresent());
        try (Outgoing end = provider().outgoing(nobody.get(), options())) {
            refused(
                    "open(): nobody is there, which is an IOException",
                    () -> within("open(): hangs where nobody is", end::open),
                    IOException.class);
        }
    }

    @Test
    @Tag("TRN-5")
    final void whatIsNotSeekableHasNoFile() throws Exception {
        assumeFalse(seekable());
        try (Link link = new Link()) {
            refused(
                    "file() of a destination: SEEKABLE is not claimed",
                    () -> link.incoming.file(false),
                    UnsupportedOperationException.class);
            refused(
                    "file() of a source: SEEKABLE is not claimed",
                    () -> link.outgoing.file(false),
                    UnsupportedOperationException.class);
        }
    }

    @Test
    @Tag("TRN-6")
    final void whatIsSeekableHasNoChannels() throws Exception {
        assumeTrue(seekable());
        Address place = saved(new byte[1]);
        try (Outgoing out = provider().outgoing(source(place), options());
                Incoming in = provider().incoming(place, options())) {
            refused(
                    "open(): SEEKABLE is claimed, so there are files and no channels",
                    out::open,
                    UnsupportedOperationException.class);
            refused(
                    "accept(): SEEKABLE is claimed, so there are files and no channels",
                    in::accept,
                    UnsupportedOperationException.class);
        }
    }

    @Test
    @Tag("TRN-7")
    final void withoutManyChannelsASecondIsRefused() throws Exception {
        assumeFalse(seekable());
        assumeFalse(provider().features().contains(Feature.MANY_CHANNELS));
        try (Link link = new Link()) {
            refused(
                    "open(): MANY_CHANNELS is not claimed, and a second channel was opened",
                    () -> within("open(): hangs at the second channel", link.outgoing::open),
                    IOException.class,
                    IllegalStateException.class);
        }
    }
}
