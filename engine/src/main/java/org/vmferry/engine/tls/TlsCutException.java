package org.vmferry.engine.tls;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;

/**
 * A TLS channel ended without close_notify: whether the peer or somebody in between cut it can't be
 * told. A QEMU ends its main channel so; any other channel must not end so before the load is
 * finished.
 */
@Status(Status.Level.STABLE)
public final class TlsCutException extends MigrationException {
    private static final long serialVersionUID = 1L;

    TlsCutException(String peer, @Nullable Throwable cause) {
        super(
                Blame.TRANSPORT,
                "the TLS channel to "
                        + peer
                        + " was cut: "
                        + (cause == null ? "it ended without close_notify" : cause.getMessage()),
                cause);
    }
}
