package org.vmferry.testkit.machine;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamProvider;

import java.util.List;
import java.util.Optional;

/**
 * Lets its guest write to each page of its window, more or less, before it stops: so the last round
 * is never empty, however fast the link is.
 *
 * @param instructions for how many more it runs
 */
record LingeringMachine(ReferenceMachine machine, long instructions) implements Machine {
    @Override
    public String type() {
        return machine.type();
    }

    @Override
    public RunState runState() {
        return machine.runState();
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
            Thread.onSpinWait();
        }
    }

    @Override
    public RamProvider ram() {
        return machine.ram();
    }

    @Override
    public List<DeviceState> devices() {
        return machine.devices();
    }

    @Override
    public Optional<CpuThrottle> throttle() {
        return machine.throttle();
    }
}
