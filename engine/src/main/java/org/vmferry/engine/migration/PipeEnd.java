package org.vmferry.engine.migration;

import org.vmferry.engine.guard.Lifeline;
import org.vmferry.spi.Feature;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.Set;

/** One end of a connection within this process, over two pipes: nobody else can come by it. */
final class PipeEnd implements Channel, Lifeline, Opener, Acceptor {
    static final Address ADDRESS = new Address("pipe", "rehearsal");

    private final Pipe.SourceChannel in;
    private final Pipe.SinkChannel out;

    private PipeEnd(Pipe in, Pipe out) {
        this.in = in.source();
        this.out = out.sink();
    }

    /** Both ends of one connection. */
    static PipeEnd[] two() throws IOException {
        Pipe there = Pipe.open();
        try {
            Pipe back = Pipe.open();
            return new PipeEnd[] {new PipeEnd(back, there), new PipeEnd(there, back)};
        } catch (IOException | RuntimeException | Error e) { // no descriptor is to be had
            there.source().close();
            there.sink().close();
            throw e;
        }
    }

    /** A transport whose only connection this is. */
    ChannelTransport transport() {
        return new ChannelTransport() {
            @Override
            public String id() {
                return ADDRESS.scheme();
            }

            @Override
            public Set<Feature> features() {
                return Set.of(Feature.RETURN_PATH);
            }

            @Override
            public Opener opener(Address address, Options options) {
                return PipeEnd.this;
            }

            @Override
            public Acceptor acceptor(Address address, Options options) {
                return PipeEnd.this;
            }
        };
    }

    @Override
    public Address address() {
        return ADDRESS;
    }

    @Override
    public Channel open() {
        return this;
    }

    @Override
    public Channel accept() {
        return this;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        return in.read(target);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        return in.read(targets, offset, length);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        return out.write(source);
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        return out.write(sources, offset, length);
    }

    @Override
    public void shutdownOutput() throws IOException {
        out.close();
    }

    /** Its other end is in this process. */
    @Override
    public boolean notice(long ms) {
        return true;
    }

    @Override
    public String peer() {
        return ADDRESS.target();
    }

    @Override
    public boolean isOpen() {
        return in.isOpen();
    }

    @Override
    public void release() {
        close();
    }

    @Override
    public void close() {
        try (in;
                out) {
            // Both.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
