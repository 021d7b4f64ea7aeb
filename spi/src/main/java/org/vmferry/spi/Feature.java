package org.vmferry.spi;

/**
 * What channels offer, and a carrier or an option may need. Whether parts go together is asked of
 * features, never of names.
 */
@Status(Status.Level.STABLE)
public enum Feature {
    /** More than one channel to the same peer. */
    MANY_CHANNELS("many channels"),
    /** The receiver can answer: needed by return-path. */
    RETURN_PATH("a way back from the receiver"),
    /**
     * Bytes can be protected by TLS: the engine speaks it, through any channel that has both ways.
     */
    TLS("TLS");

    private final String description;

    Feature(String description) {
        this.description = description;
    }

    /**
     * What it is, for a message: "needs …".
     *
     * @return a noun phrase
     */
    public String description() {
        return description;
    }
}
