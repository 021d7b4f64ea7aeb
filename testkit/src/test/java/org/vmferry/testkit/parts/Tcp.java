package org.vmferry.testkit.parts;

import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;
import org.vmferry.testkit.conformance.ChannelTransportConformance;
import org.vmferry.testkit.fault.ForwardingAcceptor;
import org.vmferry.testkit.fault.ForwardingChannelTransport;
import org.vmferry.testkit.fault.ForwardingOpener;

import java.time.Duration;
import java.util.Optional;

/** Tcp, of which a twin changes one thing. */
abstract class Tcp extends ChannelTransportConformance {
    @Override
    protected Duration patience() {
        return Duration.ofSeconds(5);
    }

    @Override
    protected ChannelTransport provider() {
        return new Twin(new TcpTransport());
    }

    @Override
    protected Address destination() {
        return new Address("tcp", "127.0.0.1:0");
    }

    @Override
    protected Optional<Address> nonsense() {
        return Optional.of(new Address("tcp", "127.0.0.1:many"));
    }

    Channel channel(Channel channel) {
        return channel;
    }

    Source opener(Source end) {
        return new Source(end);
    }

    Destination acceptor(Destination end) {
        return end;
    }

    class Source extends ForwardingOpener {
        Source(Opener end) {
            super(end);
        }

        @Override
        protected Channel over(Channel channel) {
            return channel(channel);
        }
    }

    class Destination extends ForwardingAcceptor {
        Destination(Acceptor end) {
            super(end, "tcp");
        }

        @Override
        protected Channel over(Channel channel) {
            return channel(channel);
        }
    }

    class Twin extends ForwardingChannelTransport {
        Twin(ChannelTransport real) {
            super(real, real.id());
        }

        @Override
        protected Opener over(Opener end) {
            return Tcp.this.opener(new Source(end));
        }

        @Override
        protected Acceptor over(Acceptor end) {
            return Tcp.this.acceptor(new Destination(end));
        }
    }
}
