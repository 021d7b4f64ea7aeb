package org.vmferry.it.qemu;

/** A QEMU's migration, outgoing or incoming, ended without success. */
public final class MigrationFailedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String status;
    private final String desc;

    MigrationFailedException(String status, String desc, String stderr) {
        super("QEMU's migration is '" + status + "': " + desc + stderr);
        this.status = status;
        this.desc = desc;
    }

    /** query-migrate's status: {@code failed} or {@code cancelled}. */
    public String status() {
        return status;
    }

    /** query-migrate's error-desc; empty if QEMU gave none. */
    public String desc() {
        return desc;
    }
}
