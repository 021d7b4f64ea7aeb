package org.vmferry.multifd;

import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.session.Session;

import java.util.List;

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
    public int channelMagic() {
        return Hello.MAGIC;
    }

    @Override
    public int fileWorkers(Options options) {
        return options.get(MultifdOptions.CHANNELS);
    }

    @Override
    public Sender sender(Channels channels, Session session) {
        return new MultifdSender(channels, session);
    }

    @Override
    public Receiver receiver(Session session) {
        return new MultifdReceiver(session);
    }
}
