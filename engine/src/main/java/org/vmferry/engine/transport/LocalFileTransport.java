package org.vmferry.engine.transport;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.OutgoingFile;

import java.io.IOException;

/**
 * Snapshots in files: {@code file:path[,offset=N]}, N in bytes, or with k, M or G after it.
 *
 * <p>Without an offset, or from 0, a file appears under its name only when it is complete and
 * forced to disk; what stood there before stays until then. From an offset, or to a device, bytes
 * are written in place: what precedes the offset stays, what follows it is lost at once, and that
 * is logged.
 *
 * <p>Threads that use its files must not be interrupted: Java closes an interrupted thread's file
 * for everybody.
 */
@Status(Status.Level.INTERNAL)
public final class LocalFileTransport implements FileTransport {
    /** One of the engine's own, that {@code Plugins} makes. */
    public LocalFileTransport() {}

    @Override
    public String id() {
        return "file";
    }

    @Override
    public OutgoingFile outgoing(Address address, Options options) throws MigrationException {
        return new FileOutgoing(FileTarget.parse(address));
    }

    @Override
    public IncomingFile incoming(Address address, Options options) throws IOException {
        return new FileIncoming(FileTarget.parse(address));
    }
}
