package org.vmferry.testkit.machine;

import org.vmferry.spi.machine.RunState;

/** The guest can't or won't go on. The instruction that met it has changed nothing. */
final class GuestStop extends Exception {
    private static final long serialVersionUID = 1L;

    private final RunState state;

    GuestStop(RunState state, String reason) {
        super(reason);
        this.state = state;
    }

    /** A trap that this machine has no handler for. */
    static GuestStop trap(String format, Object... arguments) {
        return new GuestStop(RunState.INTERNAL_ERROR, String.format(format, arguments));
    }

    RunState state() {
        return state;
    }
}
