package org.vmferry.spi.transport;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;

import java.util.Optional;

/** A destination's end whose connections come from within this process, and are offered to it. */
@Status(Status.Level.EXPERIMENTAL)
public class OfferedEnd extends ChannelEnd implements Acceptor {
    /**
     * An end to which nothing was offered yet.
     *
     * @param address where it listens
     */
    public OfferedEnd(Address address) {
        super(address);
    }

    /**
     * A source has come. Any thread; does not wait.
     *
     * @param channel this side's; closed at once if the end was released
     * @throws MigrationException if the end was released
     */
    public final void offer(Channel channel) throws MigrationException {
        channels.offer(channel);
    }

    @Override
    public final Channel accept() throws MigrationException {
        return channels.accept();
    }

    @Override
    public final Optional<Channel> acceptNow() throws MigrationException {
        return channels.acceptNow();
    }
}
