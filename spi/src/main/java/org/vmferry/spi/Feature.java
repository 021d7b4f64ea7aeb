package org.vmferry.spi;

/**
 * What a transport offers and a layout, carrier or capability may need. Whether parts go together
 * is asked of features, never of names.
 */
@Status(Status.Level.STABLE)
public enum Feature {
    /** Bytes have positions that can be written and read in any order: a file. */
    SEEKABLE("a seekable file"),
    /** More than one channel to the same peer. */
    MANY_CHANNELS("many channels"),
    /** The receiver can answer: needed by return-path. */
    RETURN_PATH("a way back from the receiver"),
    /** Bytes can be protected by TLS. */
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
