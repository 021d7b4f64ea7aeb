package org.vmferry.cli;

import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.ForwardingFile;
import org.vmferry.spi.transport.PositionedFile;
import org.vmferry.spi.transport.TransportProvider;

import java.io.IOException;
import java.nio.file.Path;
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
    public Incoming incoming(Address address, Options options) throws IOException {
        PositionedFile stream =
                new ForwardingFile(opened.file(false)) {
                    @Override
                    public long start() {
                        return start;
                    }
                };
        return new Incoming() {
            @Override
            public Address address() {
                return address;
            }

            /** Never around the page cache: no command asks for that. */
            @Override
            public PositionedFile file(boolean direct) {
                return stream;
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
}
