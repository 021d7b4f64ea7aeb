package org.vmferry.engine.transport;

import org.vmferry.spi.Status;
import org.vmferry.spi.option.Parameter;

/** What {@code tcp} and {@code unix} obey. */
@Status(Status.Level.EXPERIMENTAL)
public final class SocketOptions {
    /**
     * {@code connect-timeout}, in ms, 0 for ever: how long a source waits for the destination to
     * take a connection, and either end for a TLS handshake; how long a destination waits for each
     * channel of a source that has begun, and for what the channel says of itself. Not one of
     * QEMU's.
     */
    public static final Parameter<Long> CONNECT_TIMEOUT =
            Parameter.amount("connect-timeout", 30_000, Integer.MAX_VALUE, "ms");

    private SocketOptions() {}
}
