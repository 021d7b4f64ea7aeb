package org.vmferry.multifd;

import org.vmferry.spi.Session;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;

import java.util.List;
import java.util.Set;

/** Moves pages with several workers at once. Found by ServiceLoader; the capability chooses it. */
public final class MultifdCarrier implements PageCarrier {
    /** The switch. Its workers are in the way of a stream that refers to its own past. */
    public static final Capability MULTIFD =
            new Capability("multifd", Set.of(), Set.of("xbzrle", "postcopy-ram"));

    /** How many channels, or over a file how many workers. Both ends need the same. */
    public static final Parameter<Integer> CHANNELS =
            Parameter.count("multifd-channels", 2, 1, 255);

    /** Who looks for zero pages: the channels, the migration thread, or nobody (rule MFD-14). */
    public static final Parameter<String> ZERO_PAGES =
            Parameter.choice(
                    "zero-page-detection",
                    List.of(ZeroDetection.MULTIFD, ZeroDetection.LEGACY, ZeroDetection.NONE));

    /** The old way to synchronise, for a peer up to QEMU 8.0 (rule MFD-16). */
    public static final Parameter<Boolean> FLUSH_EACH_SECTION =
            Parameter.flag("multifd-flush-after-each-section", false);

    @Override
    public String id() {
        return MULTIFD.name();
    }

    @Override
    public List<Option<?>> options() {
        return List.of(MULTIFD, CHANNELS, ZERO_PAGES, FLUSH_EACH_SECTION);
    }

    @Override
    public int channelMagic() {
        return Hello.MAGIC;
    }

    @Override
    public int fileWorkers(Options options) {
        return options.get(CHANNELS);
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
