package org.vmferry.spi.machine;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/** A machine that hands every call to another one; the base of those which do something more. */
@Status(Status.Level.EXPERIMENTAL)
public class ForwardingMachine implements Machine {
    /** The machine underneath. */
    protected final Machine real;

    /**
     * Over another machine.
     *
     * @param real its owner's, as before
     */
    public ForwardingMachine(Machine real) {
        this.real = Objects.requireNonNull(real, "real");
    }

    @Override
    public String type() {
        return real.type();
    }

    @Override
    public Optional<UUID> uuid() {
        return real.uuid();
    }

    @Override
    public RunState runState() {
        return real.runState();
    }

    @Override
    public void enter(RunState state) throws MigrationException {
        real.enter(state);
    }

    @Override
    public void handOver() throws MigrationException {
        real.handOver();
    }

    @Override
    public RamProvider ram() {
        return real.ram();
    }

    @Override
    public RamTarget ramTarget() {
        return real.ramTarget();
    }

    @Override
    public List<DeviceState> devices() {
        return real.devices();
    }

    @Override
    public Optional<CpuThrottle> throttle() {
        return real.throttle();
    }
}
