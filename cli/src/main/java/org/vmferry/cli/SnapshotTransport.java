package org.vmferry.cli;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.ForwardingFile;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.file.Path;

/**
 * The snapshot that a command works on, {@code snapshot:}, for the engine to read as often as it
 * must: always the file that was opened, whatever its name has been given to since.
 */
final class SnapshotTransport implements FileTransport {
    private static final String ID = "snapshot";

    private final IncomingFile opened;
    private final long start;

    /**
     * Over a file that is open.
     *
     * @param opened stays the caller's
     * @param start where the stream begins, in bytes
     */
    SnapshotTransport(IncomingFile opened, long start) {
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
    public OutgoingFile outgoing(Address address, Options options) throws MigrationException {
        throw MigrationException.user("%s is only read", address);
    }

    @Override
    public IncomingFile incoming(Address address, Options options) throws IOException {
        PositionedFile stream =
                new ForwardingFile(opened.file(false)) {
                    @Override
                    public long start() {
                        return start;
                    }
                };
        return new IncomingFile() {
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
