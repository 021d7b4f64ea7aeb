package org.vmferry.multifd;

import org.vmferry.spi.Feature;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.session.Session;

import java.util.List;
import java.util.Set;

/** Moves pages with several workers at once. Found by ServiceLoader; the capability chooses it. */
public final class MultifdCarrier implements PageCarrier {
    @Override
    public String id() {
        return MultifdOptions.MULTIFD.name();
    }

    @Override
    public List<Option<?>> options() {
        return MultifdOptions.OF_CARRIER;
    }

    @Override
    public Set<Feature> needs(boolean placed) {
        return placed ? Set.of() : Set.of(Feature.MANY_CHANNELS);
    }

    @Override
    public int channelMagic() {
        return Hello.MAGIC;
    }

    @Override
    public Sender sender(boolean placed, Channels channels, Session session) {
        return placed ? new PlacedSender(session) : new FramedSender(channels, session);
    }

    @Override
    public Receiver receiver(boolean placed, Session session) {
        return placed ? new PlacedReceiver(session) : new FramedReceiver(session);
    }
}
