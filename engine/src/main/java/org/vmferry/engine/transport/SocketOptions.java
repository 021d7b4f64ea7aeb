package org.vmferry.engine.transport;

import org.vmferry.spi.option.Parameter;

/** What {@code tcp} and {@code unix} obey. */
public final class SocketOptions {
    /**
     * {@code connect-timeout}: how long a source waits for the destination to take a connection, in
     * ms; 0 for as long as the system does. And how long a destination waits for the channels of a
     * source that has begun, and for a handshake; 0 for ever. Not one of QEMU's.
     */
    public static final Parameter<Long> CONNECT_TIMEOUT =
            Parameter.amount("connect-timeout", 30_000, Integer.MAX_VALUE, "ms");

    private SocketOptions() {}
}
