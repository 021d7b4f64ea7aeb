package example.memory;

import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;

/** One pipe to read from, another to write to. */
final class PipeChannel implements Channel {
    private final Pipe.SourceChannel in;
    private final Pipe.SinkChannel out;
    private final Address address;

    PipeChannel(Pipe.SourceChannel in, Pipe.SinkChannel out, Address address) {
        this.in = in;
        this.out = out;
        this.address = address;
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

    @Override
    public boolean isOpen() {
        return in.isOpen();
    }

    @Override
    public void close() throws IOException {
        try (in) {
            out.close();
        }
    }

    @Override
    public String peer() {
        return address.toString();
    }
}
