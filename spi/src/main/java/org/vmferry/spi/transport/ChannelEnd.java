package org.vmferry.spi.transport;

import org.vmferry.spi.Status;

/**
 * What the ends of transports with channels have in common: it keeps what is open, and lets it all
 * go. An {@link Opener} or {@link Acceptor} that extends it adds each channel to {@link #channels}.
 * Any thread.
 */
@Status(Status.Level.EXPERIMENTAL)
public abstract class ChannelEnd implements TransportEnd {
    private final Address address;
    final OpenChannels channels;

    /**
     * An end that has nothing open yet.
     *
     * @param address where to, or where it listens
     */
    protected ChannelEnd(Address address) {
        this.address = address;
        this.channels = new OpenChannels(address.toString());
    }

    /**
     * Where to, or where it listens.
     *
     * @return the constructor's
     */
    public Address address() {
        return address;
    }

    /**
     * What is open.
     *
     * @return this end's own, for as long as it lives
     */
    protected final OpenChannels channels() {
        return channels;
    }

    @Override
    public void release() {
        channels.release();
    }

    /** Lets go what is open; whoever has more to free does so behind it. */
    @Override
    public void close() {
        channels.release();
    }
}
