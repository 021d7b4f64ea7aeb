package org.vmferry.it.qemu;

/** QEMU refused a command. */
public final class QmpException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String errorClass;
    private final String desc;

    QmpException(String command, String errorClass, String desc) {
        super(command + ": " + desc + " (" + errorClass + ")");
        this.errorClass = errorClass;
        this.desc = desc;
    }

    /** QMP's error class, such as {@code GenericError} or {@code CommandNotFound}. */
    public String errorClass() {
        return errorClass;
    }

    /** QEMU's own sentence. */
    public String desc() {
        return desc;
    }
}
