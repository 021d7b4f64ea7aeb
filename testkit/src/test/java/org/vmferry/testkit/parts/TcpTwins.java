package org.vmferry.testkit.parts;

import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;
import org.vmferry.testkit.fault.OneBufferChannel;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Transports of channels that break one rule each. */
final class TcpTwins {
    private TcpTwins() {}

    @Breaks("PRV-1")
    static class BadId extends Tcp {
        @Override
        protected ChannelTransport provider() {
            return new Twin(new TcpTransport()) {
                private final AtomicInteger asked = new AtomicInteger();

                @Override
                public String id() {
                    return asked.getAndIncrement() == 0 ? "tcp" : "TCP";
                }
            };
        }
    }

    @Breaks("PRV-2")
    static class OptionTwice extends Tcp {
        @Override
        protected ChannelTransport provider() {
            return new Twin(new TcpTransport()) {
                @Override
                public List<Option<?>> options() {
                    Option<?> option = Parameter.flag("same", false);
                    return List.of(option, option);
                }
            };
        }
    }

    @Breaks("TRN-1")
    static class ClaimsOnlyOnce extends Tcp {
        @Override
        protected ChannelTransport provider() {
            AtomicInteger asked = new AtomicInteger();
            return new Twin(new TcpTransport()) {
                @Override
                public Set<Feature> features() {
                    return asked.getAndIncrement() == 0 ? super.features() : Set.of();
                }
            };
        }
    }

    /** To who is not there: what it would open otherwise is of no interest. */
    @Breaks({"TRN-2", "TRN-4"})
    @Says({
        "TRN-2: a source's end: connects, or waits, when it is made; that is for open()*nobody is"
                + " at",
        "TRN-4: opener(): nobody is there, which is for open() to find out (it threw nobody is at",
    })
    static class ConnectsTooEarly extends Tcp {
        @Override
        protected ChannelTransport provider() {
            return new Twin(new TcpTransport()) {
                @Override
                public Opener opener(Address address, Options options) throws MigrationException {
                    Opener end = super.opener(address, options);
                    String target = address.target();
                    int port = Integer.parseInt(target.substring(target.lastIndexOf(':') + 1));
                    try (ServerSocket _ =
                            new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                        throw MigrationException.user("nobody is at %s", address);
                    } catch (BindException e) {
                        return end; // somebody is
                    } catch (IOException e) {
                        throw MigrationException.of(e);
                    }
                }
            };
        }
    }

    @Breaks("TRN-3")
    static class TakesNonsense extends Tcp {
        @Override
        protected ChannelTransport provider() {
            return new Twin(new TcpTransport()) {
                @Override
                public Opener opener(Address address, Options options) throws MigrationException {
                    boolean nonsense = address.target().endsWith("many");
                    return super.opener(
                            nonsense ? new Address("tcp", "127.0.0.1:1") : address, options);
                }
            };
        }
    }

    @Breaks("TRN-4")
    static class NobodyIsNoIOException extends Tcp {
        @Override
        Source opener(Source end) {
            return new Source(end) {
                @Override
                public Channel open() throws IOException {
                    try {
                        return super.open();
                    } catch (IOException e) {
                        if (e.getMessage().contains("given up")) throw e;
                        throw new IllegalStateException(e);
                    }
                }
            };
        }
    }

    @Breaks("TRN-7")
    static class ManyNotClaimed extends Tcp {
        @Override
        protected ChannelTransport provider() {
            return new Twin(new TcpTransport()) {
                @Override
                public Set<Feature> features() {
                    return Set.of(Feature.RETURN_PATH);
                }
            };
        }
    }

    @Breaks("TRN-8")
    static class OtherScheme extends Tcp {
        @Override
        Destination acceptor(Destination end) {
            return new Destination(end) {
                @Override
                public Address address() {
                    return new Address("TCP", super.address().target());
                }
            };
        }
    }

    @Breaks("TRN-9")
    static class DamagesAByte extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new OneBufferChannel(channel) {
                @Override
                public int write(ByteBuffer source) throws IOException {
                    if (source.remaining() == 4095) source.put(7, (byte) (source.get(7) + 1));
                    return super.write(source);
                }
            };
        }
    }

    @Breaks("TRN-10")
    @Says("TRN-10: write(ByteBuffer[]): 0 of ")
    static class IgnoresTheOffset extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new OneBufferChannel(channel) {
                @Override
                public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
                    return super.write(sources, offset, length - 1); // all but the last
                }
            };
        }
    }

    @Breaks("TRN-11")
    static class ReadsNothing extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new OneBufferChannel(channel) {
                private boolean second;

                @Override
                public int read(ByteBuffer target) throws IOException {
                    boolean first = !second;
                    second = true;
                    return first && target.remaining() == 10 ? 0 : super.read(target);
                }
            };
        }
    }

    @Breaks("TRN-12")
    static class KeepsTheEnd extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new OneBufferChannel(channel) {
                @Override
                public void shutdownOutput() {}
            };
        }
    }

    @Breaks("TRN-37")
    static class ClosesTheOtherEndToo extends Tcp {
        private final AtomicBoolean closed = new AtomicBoolean();

        @Override
        Channel channel(Channel channel) {
            return new OneBufferChannel(channel) {
                private boolean ended;

                @Override
                public void shutdownOutput() throws IOException {
                    super.shutdownOutput();
                    ended = true;
                }

                @Override
                public int read(ByteBuffer target) throws IOException {
                    if (closed.get()) throw new IOException("the peer has closed");
                    return super.read(target);
                }

                @Override
                public void close() throws IOException {
                    if (ended) closed.set(true);
                    super.close();
                }
            };
        }
    }

    @Breaks("TRN-13")
    @Says("TRN-13: shutdownOutput(): reading must go on (it threw ")
    static class EndsBothDirections extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new OneBufferChannel(channel) {
                @Override
                public void shutdownOutput() throws IOException {
                    super.shutdownOutput();
                    close();
                }
            };
        }
    }

    @Breaks("TRN-14")
    static class OneAtATime extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new OneBufferChannel(channel) {
                private volatile boolean writing;

                /** Who reads waits while much is being written. */
                @Override
                public int read(ByteBuffer target) throws IOException {
                    while (writing && isOpen()) LockSupport.parkNanos(200_000);
                    return super.read(target);
                }

                @Override
                public int write(ByteBuffer source) throws IOException {
                    int count = source.remaining();
                    writing = count > 10 << 20;
                    while (source.hasRemaining()) super.write(source);
                    writing = false;
                    return count;
                }
            };
        }
    }

    @Breaks("TRN-15")
    static class ClosesLater extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new OneBufferChannel(channel) {
                private boolean closed;

                @Override
                public int write(ByteBuffer source) throws IOException {
                    if (closed) throw new IOException("closed");
                    return super.write(source);
                }

                @Override
                public boolean isOpen() {
                    return !closed && super.isOpen();
                }

                @Override
                public void close() throws IOException {
                    closed = true;
                    super.shutdownOutput();
                }
            };
        }
    }

    @Breaks("TRN-32")
    static class Nameless extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new OneBufferChannel(channel) {
                @Override
                public String peer() {
                    return null;
                }
            };
        }
    }

    @Breaks("TRN-33")
    static class TakesBytesWhenClosed extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new OneBufferChannel(channel) {
                private boolean closed;

                @Override
                public int write(ByteBuffer source) throws IOException {
                    if (!closed) return super.write(source);
                    int count = source.remaining();
                    source.position(source.limit());
                    return count;
                }

                @Override
                public void close() throws IOException {
                    closed = true;
                    super.close();
                }
            };
        }
    }

    @Breaks("TRN-35")
    static class EachOfItsOwnOrigin extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new OneBufferChannel(channel) {
                @Override
                public String origin() {
                    return channel.peer();
                }
            };
        }
    }
}
