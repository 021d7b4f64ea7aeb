package org.vmferry.spi.transport;

import org.vmferry.spi.Status;
import org.vmferry.spi.option.Provider;

/**
 * A transport; its {@link #id()} is the scheme of its addresses. One takes the main stream and
 * RAM's pages through channels to a peer, or to positions in a file. {@link
 * java.util.ServiceLoader} finds both kinds by this type: {@code META-INF/services} has a file of
 * its name.
 */
@Status(Status.Level.STABLE)
public sealed interface TransportProvider extends Provider
        permits ChannelTransport, FileTransport {}
