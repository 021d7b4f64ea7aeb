package org.vmferry.engine.discovery;

import org.vmferry.spi.Feature;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.Opener;
import org.vmferry.spi.transport.OutgoingFile;

import java.util.List;
import java.util.Set;

/** Providers that say who they are and do nothing. */
public final class Fakes {
    private Fakes() {}

    /** A transport with these features. */
    public static ChannelTransport transport(String id, Feature... features) {
        return new FakeTransport(id, Set.of(features));
    }

    /** A transport with files. */
    public static FileTransport files(String id) {
        return new FakeFiles(id);
    }

    /** A layout. */
    public static FileLayout layout(String id, Option<?>... options) {
        return new FakeLayout(id, List.of(options));
    }

    /** A carrier. */
    public static PageCarrier carrier(String id, Option<?>... options) {
        return new FakeCarrier(id, List.of(options));
    }

    /** A codec with a level. */
    public static CompressionProvider codec(String id, int method) {
        return new FakeCodec(id, method, Parameter.count("multifd-" + id + "-level", 1, 0, 9));
    }

    /** A listener. */
    public static MigrationNotifier notifier(String id) {
        return new FakeNotifier(id);
    }

    private record FakeTransport(String id, Set<Feature> features) implements ChannelTransport {
        @Override
        public Opener opener(Address address, Options options) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Acceptor acceptor(Address address, Options options) {
            throw new UnsupportedOperationException();
        }
    }

    private record FakeFiles(String id) implements FileTransport {
        @Override
        public OutgoingFile outgoing(Address address, Options options) {
            throw new UnsupportedOperationException();
        }

        @Override
        public IncomingFile incoming(Address address, Options options) {
            throw new UnsupportedOperationException();
        }
    }

    private record FakeLayout(String id, List<Option<?>> options) implements FileLayout {
        @Override
        public Saver saver(Session session) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Loader loader(Session session) {
            throw new UnsupportedOperationException();
        }
    }

    private record FakeCarrier(String id, List<Option<?>> options) implements PageCarrier {
        @Override
        public int channelMagic() {
            return 0x600dcafe;
        }

        @Override
        public Sender sender(Channels channels, Session session) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Receiver receiver(Session session) {
            throw new UnsupportedOperationException();
        }
    }

    private record FakeCodec(String id, int wireMethod, Parameter<Integer> level)
            implements CompressionProvider {
        @Override
        public List<Option<?>> options() {
            return List.of(level);
        }

        @Override
        public Compressor compressor(int level) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Decompressor decompressor() {
            throw new UnsupportedOperationException();
        }
    }

    private record FakeNotifier(String id) implements MigrationNotifier {
        @Override
        public void notify(MigrationEvent event) {}
    }
}
