package org.vmferry.engine.qmp;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Printable;

/** Why a command was not executed, in one of QEMU's error classes; a client's names are cleaned. */
final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;

    static final String GENERIC = "GenericError";
    static final String COMMAND_NOT_FOUND = "CommandNotFound";
    static final String DEVICE_NOT_FOUND = "DeviceNotFound";

    private final String errorClass;
    private final String desc;

    private Refusal(String errorClass, String desc) {
        super(Printable.line(desc));
        this.desc = Printable.line(desc);
        this.errorClass = errorClass;
    }

    static Refusal generic(String format, @Nullable Object... arguments) {
        return new Refusal(GENERIC, format.formatted(arguments));
    }

    static Refusal missing(String parameter) {
        return generic("Parameter '%s' is missing", parameter);
    }

    static Refusal commandNotFound(String format, @Nullable Object... arguments) {
        return new Refusal(COMMAND_NOT_FOUND, format.formatted(arguments));
    }

    static Refusal deviceNotFound(String format, @Nullable Object... arguments) {
        return new Refusal(DEVICE_NOT_FOUND, format.formatted(arguments));
    }

    String errorClass() {
        return errorClass;
    }

    String desc() {
        return desc;
    }
}
