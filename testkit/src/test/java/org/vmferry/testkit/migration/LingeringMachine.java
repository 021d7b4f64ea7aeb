package org.vmferry.testkit.migration;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.util.concurrent.locks.LockSupport;

/**
 * Lets its guest write to each page of its window, more or less, before it stops: so the last round
 * is never empty, however fast the link is.
 *
 * @param instructions for how many more it runs
 */
final class LingeringMachine extends ForwardingMachine {
    private final ReferenceMachine machine;
    private final long instructions;

    LingeringMachine(ReferenceMachine machine, long instructions) {
        super(machine);
        this.machine = machine;
        this.instructions = instructions;
    }

    @Override
    public void enter(RunState state) throws MigrationException {
        machine.throttle().orElseThrow().set(0);
        run(machine, instructions);
        machine.enter(state);
    }

    /** Waits until a running guest has executed so many more instructions. */
    static void run(ReferenceMachine machine, long more) {
        long enough = machine.instructions() + more;
        while (machine.runState() == RunState.RUNNING && machine.instructions() < enough) {
            LockSupport.parkNanos(200_000);
        }
    }
}
