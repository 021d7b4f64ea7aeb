package org.vmferry.spi.layout;

import org.vmferry.spi.Status;

/** What a carrier wants written into the main stream after its channels were synchronised. */
@Status(Status.Level.STABLE)
public enum SyncMark {
    /** Nothing. */
    NONE,
    /** The record that lets the receiver wait for its channels (rule RAM-9). */
    FLUSH
}
