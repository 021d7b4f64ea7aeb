package org.vmferry.engine.migration;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;

/** Switches a machine; what it throws is the host's fault and says so. */
final class Guest {
    private Guest() {}

    static void enter(Machine machine, RunState state) throws MigrationException {
        try {
            machine.enter(state);
        } catch (RuntimeException e) {
            throw new MigrationException(
                    Blame.HOST, "the machine can't enter '" + state.wireName() + "': " + e, e);
        }
    }
}
