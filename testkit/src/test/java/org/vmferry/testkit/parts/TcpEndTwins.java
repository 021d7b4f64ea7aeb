package org.vmferry.testkit.parts;

import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** The same, where an end breaks it: who opens channels, or accepts them. */
final class TcpEndTwins {
    private TcpEndTwins() {}

    /** Leaves channels alone when it is released. */
    @Breaks({"TRN-16", "TRN-17"})
    static class ForgetsItsChannels extends Tcp {
        @Override
        Source opener(Source end) {
            return new Source(end) {
                private boolean used;
                private boolean released;

                @Override
                public Channel open() throws IOException {
                    if (released) throw new IOException("given up");
                    used = true;
                    return super.open();
                }

                @Override
                public void release() {
                    released = true;
                    if (!used) super.release();
                }
            };
        }

        @Override
        Destination acceptor(Destination end) {
            return new Destination(end) {
                private boolean used;
                private boolean released;

                @Override
                public Channel accept() throws IOException {
                    if (released) throw new IOException("given up");
                    Channel channel = super.accept();
                    used = true;
                    return channel;
                }

                @Override
                public void release() {
                    released = true;
                    if (!used) super.release();
                }
            };
        }
    }

    @Breaks("TRN-18")
    static class GoesOnAccepting extends Tcp {
        @Override
        Destination acceptor(Destination end) {
            return new Destination(end) {
                private boolean asked;
                private boolean used;
                private boolean released;

                @Override
                public Channel accept() throws IOException {
                    if (released) throw new IOException("given up");
                    asked = true;
                    Channel channel = super.accept();
                    used = true;
                    return channel;
                }

                @Override
                public void release() {
                    released = true;
                    if (used || !asked) super.release();
                }
            };
        }
    }

    @Breaks("TRN-19")
    static class OpensAfterRelease extends Tcp {
        @Override
        protected ChannelTransport provider() {
            return new Twin(new TcpTransport()) {
                @Override
                public Opener opener(Address address, Options options) throws MigrationException {
                    Opener spare = real.opener(address, options);
                    return new Source(super.opener(address, options)) {
                        private boolean released;

                        @Override
                        public Channel open() throws IOException {
                            return released ? spare.open() : super.open();
                        }

                        @Override
                        public void release() {
                            released = true;
                            super.release();
                        }

                        @Override
                        public void close() {
                            super.close();
                            spare.close();
                        }
                    };
                }
            };
        }
    }

    @Breaks("TRN-20")
    @Says(
            "TRN-20: open(): later channels go where the first went, many at once (it threw *no"
                    + " more)")
    static class HasEnoughAtThree extends Tcp {
        @Override
        Source opener(Source end) {
            return new Source(end) {
                private final AtomicInteger opened = new AtomicInteger();

                @Override
                public Channel open() throws IOException {
                    if (opened.incrementAndGet() > 3) throw new IOException("no more");
                    return super.open();
                }
            };
        }
    }

    @Breaks("TRN-36")
    static class WaitsForWhatHasCome extends Tcp {
        @Override
        Destination acceptor(Destination end) {
            return new Destination(end) {
                @Override
                public Optional<Channel> acceptNow() throws IOException {
                    return Optional.of(accept());
                }
            };
        }
    }
}
