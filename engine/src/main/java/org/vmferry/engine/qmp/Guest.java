package org.vmferry.engine.qmp;

import org.vmferry.engine.migration.StandIn;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * The host's machine, of whose stops and starts clients are told. A migration is given this one, so
 * that its stops and starts come in their place among its states.
 */
final class Guest implements StandIn {
    private final Machine machine;
    private final Monitor monitor;
    private boolean staysPaused; // guarded by the monitor's lock, as all changes of run state are

    Guest(Machine machine, Monitor monitor) {
        this.machine = machine;
        this.monitor = monitor;
        monitor.command("query-status", this::status);
        monitor.command("stop", this::stop);
        monitor.command("cont", this::cont);
        monitor.command("query-uuid", this::queryUuid);
        monitor.command("query-name", this::queryName);
    }

    private Object status(Arguments arguments) throws Refusal {
        arguments.end();
        RunState state = machine.runState();
        return Map.of("status", state.wireName(), "running", state == RunState.RUNNING);
    }

    private Object stop(Arguments arguments) throws Refusal, MigrationException {
        arguments.end();
        switch (machine.runState()) {
            case RUNNING -> enter(RunState.PAUSED);
            case INMIGRATE -> staysPaused = true;
            default -> {}
        }
        return Map.of();
    }

    private Object cont(Arguments arguments) throws Refusal, MigrationException {
        arguments.end();
        switch (machine.runState()) {
            case RUNNING -> {}
            case INMIGRATE -> staysPaused = false;
            case FINISH_MIGRATE -> throw Refusal.generic("Migration is not finalized yet");
            case SHUTDOWN, INTERNAL_ERROR ->
                    throw Refusal.generic("Resetting the Virtual Machine is required");
            default -> enter(RunState.RUNNING);
        }
        return Map.of();
    }

    private Object queryUuid(Arguments arguments) throws Refusal {
        arguments.end();
        return Map.of("UUID", uuid().orElse(new UUID(0, 0)).toString());
    }

    private Object queryName(Arguments arguments) throws Refusal {
        arguments.end();
        return Map.of();
    }

    @Override
    public void enter(RunState asked) throws MigrationException {
        synchronized (monitor.lock()) {
            RunState before = machine.runState();
            boolean stays = staysPaused && before == RunState.INMIGRATE;
            RunState next = stays && asked == RunState.RUNNING ? RunState.PAUSED : asked;
            machine.enter(next);
            if (before == RunState.RUNNING && next != RunState.RUNNING) monitor.event("STOP");
            if (before != RunState.RUNNING && next == RunState.RUNNING) monitor.event("RESUME");
        }
    }

    @Override
    public Machine machine() {
        return machine;
    }

    @Override
    public String type() {
        return machine.type();
    }

    @Override
    public Optional<UUID> uuid() {
        return machine.uuid();
    }

    @Override
    public RunState runState() {
        return machine.runState();
    }

    @Override
    public RamProvider ram() {
        return machine.ram();
    }

    @Override
    public RamTarget ramTarget() {
        return machine.ramTarget();
    }

    @Override
    public List<DeviceState> devices() {
        return machine.devices();
    }

    @Override
    public Optional<CpuThrottle> throttle() {
        return machine.throttle();
    }

    @Override
    public Optional<SectionStore> sections() {
        return machine.sections();
    }
}
