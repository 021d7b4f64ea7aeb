package org.vmferry.spi;

/** Migration modes, as in the parameter {@code mode}. */
@Status(Status.Level.STABLE)
public enum Mode {
    /** The guest runs on while its RAM is copied. */
    NORMAL("normal"),
    /** The guest is paused first and stays so, so that what lies beneath it can be replaced. */
    CPR_REBOOT("cpr-reboot");

    private final String wireName;

    Mode(String wireName) {
        this.wireName = wireName;
    }

    /**
     * QEMU's spelling.
     *
     * @return the parameter's value
     */
    public String wireName() {
        return wireName;
    }
}
