package org.vmferry.testkit.conformance;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.TransportEnd;
import org.vmferry.spi.transport.TransportProvider;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * What {@link ChannelTransportConformance} and {@link FileTransportConformance} have in common.
 *
 * @param <T> the kind of transport
 */
@Status(Status.Level.STABLE)
public abstract sealed class TransportConformance<T extends TransportProvider>
        extends ProviderConformance<T> permits ChannelConformance, FileTransportConformance {
    TransportConformance() {}

    /** A source's end. */
    abstract TransportEnd sourceEnd(Address address) throws Exception;

    /**
     * A place that nobody uses.
     *
     * @return for a destination to listen at; of files one that is not there yet
     * @throws Exception if there can't be one
     */
    protected abstract Address destination() throws Exception;

    /**
     * Where a source goes for a destination.
     *
     * @param destination where that one listens, as it says
     * @return by default the same
     * @throws Exception if there can't be one
     */
    protected Address source(Address destination) throws Exception {
        return destination;
    }

    /**
     * The options that ends are made with.
     *
     * @return by default all at their defaults
     */
    protected Options options() {
        return Options.DEFAULTS;
    }

    static ByteBuffer buffer(byte[] bytes) {
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    static byte[] noise(int length, long seed) {
        ByteBuffer bytes = ByteBuffer.allocate(length + 8);
        SplittableRandom random = new SplittableRandom(seed);
        while (bytes.position() < length) bytes.putLong(random.nextLong());
        return Arrays.copyOf(bytes.array(), length);
    }

    /**
     * An address that makes no sense to this transport.
     *
     * @return by default empty: the rule is left out
     */
    protected Optional<Address> nonsense() {
        return Optional.empty();
    }

    final void sourceEndOpensNothing(Address address) throws Exception {
        String lookAt =
                "a source's end: connects, or waits, when it is made; that is for open() and"
                        + " file()";
        works(
                lookAt,
                () ->
                        within(
                                lookAt,
                                () -> {
                                    sourceEnd(address).close();
                                    return null;
                                }));
    }

    @Test
    @Tag("TRN-3")
    final void nonsenseIsRefusedAtOnce() throws Exception {
        Optional<Address> nonsense = nonsense();
        needs(nonsense.isPresent(), "nonsense(): gives no address");
        refused(
                "a source's end: '%s' is to be refused when it is made, not when it is opened"
                        .formatted(nonsense.get()),
                () -> sourceEnd(nonsense.get()),
                MigrationException.class);
    }
}
