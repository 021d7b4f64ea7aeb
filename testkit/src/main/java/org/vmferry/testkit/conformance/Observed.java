package org.vmferry.testkit.conformance;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** A machine between the engine and the author's: notes what it was like when it changed state. */
final class Observed extends ForwardingMachine {
    final Machine machine;
    private final Duration linger;
    private volatile Content content = Content.NONE;
    private volatile RunState entered;

    /**
     * Over the author's machine.
     *
     * @param linger how long its guest still runs when it is to stop for the switch-over: so there
     *     is always something in the last round
     */
    Observed(Machine machine, Duration linger) {
        super(machine);
        this.machine = machine;
        this.linger = linger;
    }

    /** What it held when it was given up, or before it was started after a load. */
    Content content() {
        return content;
    }

    /** The state that the engine asked for last; null if for none. */
    RunState entered() {
        return entered;
    }

    @Override
    public void enter(RunState state) throws MigrationException {
        entered = state;
        if (state == RunState.FINISH_MIGRATE) LockSupport.parkNanos(linger.toNanos());
        else if (machine.runState() != RunState.RUNNING) content = Content.of(machine);
        machine.enter(state);
    }
}
