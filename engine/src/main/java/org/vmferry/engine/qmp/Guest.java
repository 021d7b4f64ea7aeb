package org.vmferry.engine.qmp;

import static org.vmferry.engine.qmp.QmpType.Builtin.BOOLEAN;
import static org.vmferry.engine.qmp.QmpType.Builtin.STRING;
import static org.vmferry.engine.qmp.QmpType.NOTHING;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.vmferry.engine.Migration;
import org.vmferry.engine.guard.Guard;
import org.vmferry.engine.guard.StandIn;
import org.vmferry.engine.migration.MachineUse;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.qmp.QmpType.Choice;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;

import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The host's machine, of whose stops and starts clients are told. A migration is given this one, so
 * that its stops and starts come in their place among its states.
 */
final class Guest extends ForwardingMachine implements StandIn {
    private static final Logger LOG = Log.of(Guest.class);

    private static final String TAKE_BACK = "vmferry-take-back";
    private static final QmpType STATUS =
            NOTHING.with("running", BOOLEAN)
                    .with(
                            "status",
                            new Choice(
                                    Stream.of(RunState.values()).map(RunState::wireName).toList()));

    private final Machine machine;
    private final Monitor monitor;
    private final Object entering = new Object(); // taken after the monitor's lock, if both
    private boolean staysPaused; // guarded by entering, as all changes of run state are
    private volatile @Nullable Migration sending; // the last that QMP began, or null
    private @Nullable Migration sentBy; // the one that paused it for good, or null

    Guest(Machine machine, Monitor monitor) {
        super((Machine) Guard.over(machine));
        this.machine = machine;
        this.monitor = monitor;
        monitor.command("query-status", NOTHING, STATUS, arguments -> status());
        monitor.command("stop", NOTHING, NOTHING, arguments -> stop());
        monitor.command("cont", NOTHING.withOptional(TAKE_BACK, BOOLEAN), NOTHING, this::cont);
        monitor.command(
                "query-uuid", NOTHING, NOTHING.with("UUID", STRING), arguments -> queryUuid());
        monitor.command(
                "query-name", NOTHING, NOTHING.withOptional("name", STRING), arguments -> Map.of());
        monitor.mayTell("STOP", NOTHING);
        monitor.mayTell("RESUME", NOTHING);
    }

    private Object status() {
        RunState state = real.runState();
        return Map.of("status", state.wireName(), "running", state == RunState.RUNNING);
    }

    private Object stop() throws MigrationException {
        synchronized (entering) {
            switch (real.runState()) {
                case RUNNING -> enter(RunState.PAUSED);
                case INMIGRATE -> staysPaused = true;
                default -> {}
            }
        }
        return Map.of();
    }

    private Object cont(Arguments arguments) throws Refusal, MigrationException {
        synchronized (entering) {
            cont(real.runState(), arguments.bool(TAKE_BACK, false));
        }
        return Map.of();
    }

    private void cont(RunState state, boolean takeBack) throws Refusal, MigrationException {
        switch (state) {
            case RUNNING -> {}
            case INMIGRATE -> staysPaused = false;
            case SHUTDOWN, INTERNAL_ERROR ->
                    throw Refusal.generic("Resetting the Virtual Machine is required");
            default -> {
                if (MachineUse.isLoaded(this)) {
                    throw Refusal.generic("A guest is being loaded into this machine");
                }
                if (state == RunState.FINISH_MIGRATE) requireOver();
                if (state == RunState.POSTMIGRATE || state == RunState.FINISH_MIGRATE) {
                    takeBack(takeBack);
                    if (!MachineUse.take(this)) throw notYet();
                }
                enter(RunState.RUNNING);
            }
        }
    }

    private void requireOver() throws Refusal {
        if (MachineUse.isUsed(this)) throw notYet();
    }

    private static Refusal notYet() {
        return Refusal.generic("Migration is not finalized yet");
    }

    /** Of a guest that was sent: it goes on here if it does not run elsewhere, or by order. */
    private void takeBack(boolean ordered) throws Refusal {
        String why = whyNot();
        if (why == null) return;
        if (!ordered) {
            throw Refusal.generic(
                    "%s. To let it go on here, make sure that it does not run there, and say cont"
                            + " with the argument \"%s\": true",
                    why, TAKE_BACK);
        }
        LOG.warn("cont: the guest goes on here by order ({}). {}", TAKE_BACK, why);
    }

    /** Null if it may go on, as in a QEMU. */
    private @Nullable String whyNot() {
        if (sentBy == null) {
            return "The guest was sent without QMP, which does not know who has it";
        }
        String name = sentBy.name() + " to " + sentBy.address();
        return switch (sentBy.owner()) {
            case UNKNOWN ->
                    "The link was lost at the end of %s: the guest may run there".formatted(name);
            case DESTINATION -> {
                if (sentBy.options().get(EngineOptions.RETURN_PATH)) {
                    yield "The destination of %s has confirmed that it has the guest"
                            .formatted(name);
                }
                LOG.warn("cont: the guest goes on here, and perhaps there too, after {}", name);
                yield null;
            }
            case SNAPSHOT, SOURCE -> {
                LOG.info("cont: the guest goes on here after {}", name);
                yield null;
            }
        };
    }

    /** This is the last migration that QMP has begun to send it. */
    void sending(Migration begun) {
        sending = begun;
    }

    private Object queryUuid() {
        return Map.of("UUID", uuid().orElse(new UUID(0, 0)).toString());
    }

    @Override
    public void enter(RunState asked) throws MigrationException {
        RunState before;
        RunState next;
        // Not the monitor's lock: a host that hangs in here is to be seen, and yanked, by QMP.
        synchronized (entering) {
            before = real.runState();
            boolean stays = staysPaused && before == RunState.INMIGRATE;
            next = stays && asked == RunState.RUNNING ? RunState.PAUSED : asked;
            boolean sent = next == RunState.FINISH_MIGRATE || next == RunState.POSTMIGRATE;
            if (sent) sentBy = sending; // also if the machine can't enter it
            real.enter(next);
            if (!sent) sentBy = null;
        }
        if (before == RunState.RUNNING && next != RunState.RUNNING) monitor.event("STOP");
        if (before != RunState.RUNNING && next == RunState.RUNNING) monitor.event("RESUME");
    }

    @Override
    public Machine machine() {
        return machine;
    }
}
