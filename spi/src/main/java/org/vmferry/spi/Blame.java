package org.vmferry.spi;

/** Whose fault a failure is: the first thing an operator wants to know. */
@Status(Status.Level.STABLE)
public enum Blame {
    /**
     * What was asked for is wrong or not possible: an option, an address, a file name; or it was
     * cancelled.
     */
    USER,
    /** The embedding emulator broke its side of the SPI, or refused. */
    HOST,
    /** What came over the wire or stands in the file is wrong. */
    PEER,
    /** The connection, disk or file system failed. */
    TRANSPORT,
    /** A plug-in is missing, broken, or broke its side of the SPI. */
    PLUGIN;

    /**
     * Whether code is to blame, and no person, peer or link.
     *
     * @return true for {@link #HOST} and {@link #PLUGIN}
     */
    public boolean isCodes() {
        return this == HOST || this == PLUGIN;
    }
}
