package org.vmferry.it.fuzz;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A transport with one file, of bytes in memory and, where it is longer, a hole behind them. */
final class MemoryFile implements FileTransport {
    static final String ID = "memory-file";

    private volatile byte[] bytes = new byte[0];
    private volatile long size;

    /** What the next migration reads. */
    void put(Input input) {
        bytes = input.main();
        size = input.size();
    }

    @Override
    public String id() {
        return ID;
    }

    @Override
    public OutgoingFile outgoing(Address address, Options options) throws MigrationException {
        throw MigrationException.user("%s is read only", address);
    }

    @Override
    public IncomingFile incoming(Address address, Options options) {
        PositionedFile file = new Positioned(bytes, size);
        return new IncomingFile() {
            @Override
            public PositionedFile file(boolean direct) {
                return file;
            }

            @Override
            public void release() {
                // Nothing here waits.
            }

            @Override
            public void close() {
                // Nothing is open.
            }
        };
    }

    private record Positioned(byte[] bytes, long size) implements PositionedFile {
        @Override
        public long start() {
            return 0;
        }

        @Override
        public int alignment() {
            return 1;
        }

        @Override
        public void write(ByteBuffer source, long position) throws IOException {
            throw new IOException("the file is read only");
        }

        @Override
        public int read(ByteBuffer target, long position) {
            if (position >= size) return 0;
            int count = (int) Math.min(target.remaining(), size - position);
            int there = Math.clamp(bytes.length - position, 0, count);
            if (there > 0) target.put(bytes, (int) position, there);
            for (int i = there; i < count; i++) target.put((byte) 0);
            return count;
        }

        @Override
        public void resize(long wanted) throws IOException {
            throw new IOException("the file is read only");
        }

        @Override
        public long nextData(long position) {
            return position < bytes.length ? position : Math.max(position, size);
        }
    }
}
