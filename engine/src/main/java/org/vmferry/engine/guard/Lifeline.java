package org.vmferry.engine.guard;

import java.io.IOException;

/** A channel that finds out by itself that the host at its other end is gone, and then fails. */
public interface Lifeline {
    /**
     * Sets how long that takes; also while others read and write.
     *
     * @param ms about so long without a sign of life from that host; 0 for the system's own time
     * @return false if it can take longer, or for ever
     * @throws IOException if the channel is broken
     */
    boolean notice(long ms) throws IOException;
}
