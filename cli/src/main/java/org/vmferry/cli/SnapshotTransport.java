package org.vmferry.cli;

import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.PositionedFile;
import org.vmferry.spi.transport.TransportProvider;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * The snapshot that a command works on, {@code snapshot:}, for the engine to read as often as it
 * must: always the file that was opened, whatever its name has been given to since.
 */
final class SnapshotTransport implements TransportProvider {
    private static final String ID = "snapshot";

    private final Incoming opened;
    private final long start;

    /**
     * Over a file that is open.
     *
     * @param opened stays the caller's
     * @param start where the stream begins, in bytes
     */
    SnapshotTransport(Incoming opened, long start) {
        this.opened = opened;
        this.start = start;
    }

    /** Under which address the engine finds one; the name is for messages only. */
    static String uri(Path name) {
        return ID + ":" + name;
    }

    @Override
    public String id() {
        return ID;
    }

    @Override
    public Set<Feature> features() {
        return Set.of(Feature.SEEKABLE);
    }

    @Override
    public Outgoing outgoing(Address address, Options options) throws MigrationException {
        throw MigrationException.user("%s is only read", address);
    }

    @Override
    public Incoming incoming(Address address, Options options) {
        return new Incoming() {
            @Override
            public Address address() {
                return address;
            }

            @Override
            public PositionedFile file(boolean direct) throws IOException {
                return new File(opened.file(direct));
            }

            @Override
            public void release() {
                opened.release();
            }

            @Override
            public void close() {
                // The command does that.
            }
        };
    }

    private final class File implements PositionedFile {
        private final PositionedFile real;

        File(PositionedFile real) {
            this.real = real;
        }

        @Override
        public long start() {
            return start;
        }

        @Override
        public int alignment() {
            return real.alignment();
        }

        @Override
        public void write(ByteBuffer source, long position) throws IOException {
            real.write(source, position);
        }

        @Override
        public int read(ByteBuffer target, long position) throws IOException {
            return real.read(target, position);
        }

        @Override
        public long size() throws IOException {
            return real.size();
        }

        @Override
        public void resize(long size) throws IOException {
            real.resize(size);
        }

        @Override
        public Optional<MemorySegment> map(long position, long length, Arena arena)
                throws IOException {
            return real.map(position, length, arena);
        }

        @Override
        public long nextData(long position) throws IOException {
            return real.nextData(position);
        }
    }
}
