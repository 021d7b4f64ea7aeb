package org.vmferry.spi.transport;

import org.vmferry.spi.Status;

/** The destination's end of a transport with files. */
@Status(Status.Level.STABLE)
public non-sealed interface IncomingFile extends FileEnd {}
