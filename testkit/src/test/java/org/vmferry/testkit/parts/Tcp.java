package org.vmferry.testkit.parts;

import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.TransportProvider;
import org.vmferry.testkit.conformance.TransportConformance;
import org.vmferry.testkit.fault.ForwardingIncoming;
import org.vmferry.testkit.fault.ForwardingOutgoing;
import org.vmferry.testkit.fault.ForwardingTransport;

import java.time.Duration;
import java.util.Optional;

/** Tcp, of which a twin changes one thing. */
abstract class Tcp extends TransportConformance {
    @Override
    protected Duration patience() {
        return Duration.ofSeconds(5);
    }

    @Override
    protected TransportProvider provider() {
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

    Source outgoing(Source end) {
        return new Source(end);
    }

    Destination incoming(Destination end) {
        return end;
    }

    class Source extends ForwardingOutgoing {
        Source(TransportProvider.Outgoing end) {
            super(end);
        }

        @Override
        protected Channel over(Channel channel) {
            return channel(channel);
        }
    }

    class Destination extends ForwardingIncoming {
        Destination(TransportProvider.Incoming end) {
            super(end, "tcp");
        }

        @Override
        protected Channel over(Channel channel) {
            return channel(channel);
        }
    }

    class Twin extends ForwardingTransport {
        Twin(TransportProvider real) {
            super(real, real.id());
        }

        @Override
        protected TransportProvider.Outgoing over(TransportProvider.Outgoing end) {
            return Tcp.this.outgoing(new Source(end));
        }

        @Override
        protected TransportProvider.Incoming over(TransportProvider.Incoming end) {
            return Tcp.this.incoming(new Destination(end));
        }
    }
}
