package org.vmferry.engine.qmp;

import static org.vmferry.engine.qmp.QmpType.Builtin.ANY;
import static org.vmferry.engine.qmp.QmpType.Builtin.BOOLEAN;
import static org.vmferry.engine.qmp.QmpType.Builtin.INTEGER;
import static org.vmferry.engine.qmp.QmpType.Builtin.STRING;
import static org.vmferry.engine.qmp.QmpType.NOTHING;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.MigrationListener;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.qmp.QmpType.Array;
import org.vmferry.engine.qmp.QmpType.Choice;
import org.vmferry.engine.qmp.QmpType.Struct;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Log;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The machine's migrations, one at a time: begins, watches, ends and tells of them. */
final class Migrations implements AutoCloseable {
    private static final Logger LOG = Log.of(Migrations.class);

    /** QEMU's states, of which some are never ours. */
    static final Choice STATE =
            new Choice(
                    List.of(
                            "none",
                            "setup",
                            "cancelling",
                            "cancelled",
                            "active",
                            "postcopy-active",
                            "postcopy-paused",
                            "postcopy-recover-setup",
                            "postcopy-recover",
                            "completed",
                            "failed",
                            "colo",
                            "pre-switchover",
                            "device",
                            "wait-unplug"));

    private static final Struct TYPE_OF_INSTANCE =
            NOTHING.with("type", new Choice(List.of("block-node", "chardev", "migration")));

    /** Whatever is to be yanked. */
    private static final Struct INSTANCE =
            TYPE_OF_INSTANCE.withOptional("node-name", STRING).withOptional("id", STRING);

    /** The members of each type; only one is ever there. */
    private static final Map<String, Struct> INSTANCES =
            Map.of(
                    "migration", TYPE_OF_INSTANCE,
                    "block-node", TYPE_OF_INSTANCE.with("node-name", STRING),
                    "chardev", TYPE_OF_INSTANCE.with("id", STRING));

    private final Engine engine;
    private final Guest guest;
    private final Monitor monitor;
    private final QomObjects objects;
    private final OptionCommands options;
    // Guarded by the monitor's lock, as all below.
    private @Nullable Migration migration; // the last, or null
    private @Nullable Teller teller; // of its states, or null
    private boolean incoming; // whether it is, or was

    Migrations(Engine engine, Guest guest, Monitor monitor) {
        this.engine = engine;
        this.guest = guest;
        this.monitor = monitor;
        this.objects = new QomObjects(monitor);
        this.options = new OptionCommands(engine.options(), objects, this, monitor);
        Struct uri = NOTHING.withOptional("uri", STRING).withOptional("channels", new Array(ANY));
        monitor.command(
                "migrate",
                uri.withOptional("detach", BOOLEAN).withOptional("resume", BOOLEAN),
                NOTHING,
                this::migrate);
        monitor.command(
                "migrate-incoming",
                uri.withOptional("exit-on-error", BOOLEAN), // the host decides that
                NOTHING,
                this::migrateIncoming);
        monitor.command("migrate_cancel", NOTHING, NOTHING, arguments -> cancel());
        monitor.command("migrate-continue", NOTHING.with("state", STATE), NOTHING, this::proceed);
        monitor.command("query-migrate", NOTHING, QueryMigrate.TYPE, arguments -> query());
        monitor.outOfBandCommand(
                "yank", NOTHING.with("instances", new Array(INSTANCE)), NOTHING, this::yank);
        monitor.outOfBandCommand(
                "query-yank", NOTHING, new Array(INSTANCE), arguments -> queryYank());
        monitor.mayTell("MIGRATION", NOTHING.with("status", STATE));
        monitor.mayTell("MIGRATION_PASS", NOTHING.with("pass", INTEGER));
    }

    private Object migrate(Arguments arguments) throws Refusal, IOException {
        String uri = uri(arguments); // detach has no effect in QEMU either
        if (arguments.bool("resume", false)) {
            throw Refusal.generic("Cannot resume if there is no paused migration");
        }
        if (running()) throw Refusal.generic("There's a migration process in progress");
        RunState state = guest.runState();
        if (state == RunState.INMIGRATE) {
            throw Refusal.generic("Guest is waiting for an incoming migration");
        }
        if (state == RunState.POSTMIGRATE) {
            throw Refusal.generic("Can't migrate the vm that was paused due to previous migration");
        }
        begun(engine.send(guest, uri, objects.resolve(options.settings(), true)), false);
        return Map.of();
    }

    private Object migrateIncoming(Arguments arguments) throws Refusal, IOException {
        String uri = uri(arguments);
        if (incoming) throw Refusal.generic("The incoming migration has already been started");
        if (running()) throw Refusal.generic("There's a migration process in progress");
        if (guest.runState() != RunState.INMIGRATE) {
            throw Refusal.generic("This machine does not wait for an incoming migration");
        }
        begun(engine.receive(guest, uri, objects.resolve(options.settings(), false)), true);
        return Map.of();
    }

    private static String uri(Arguments arguments) throws Refusal {
        if (arguments.members().containsKey("channels")) {
            throw Refusal.generic("Parameter 'channels' is not understood: use 'uri'");
        }
        return arguments
                .optionalString("uri")
                .orElseThrow(() -> Refusal.generic("need either 'uri' or 'channels' argument"));
    }

    /** Set-up is told before the answer, all that follows after it. */
    private void begun(Migration begun, boolean incoming) {
        if (teller != null) teller.end();
        migration = begun;
        this.incoming = incoming;
        if (!incoming) guest.sending(begun);
        boolean events = options.on(EngineOptions.EVENTS);
        if (events) tell(MigrationState.SETUP);
        Teller listener = new Teller(begun, events);
        teller = listener;
        monitor.afterwards(() -> begun.listen(listener));
    }

    private void tell(MigrationState state) {
        monitor.event("MIGRATION", Map.of("status", state.wireName()));
    }

    private final class Teller implements MigrationListener {
        private final Migration of;
        private final boolean events;
        private boolean over; // guarded by the monitor's lock

        Teller(Migration of, boolean events) {
            this.of = of;
            this.events = events;
        }

        @Override
        public void entered(MigrationState state) {
            synchronized (monitor.lock()) {
                if (over) return;
                over = state.isFinal();
                if (events && state != MigrationState.SETUP) tell(state);
            }
        }

        /** The next begins, which can be before this one has been told its end: it is told now. */
        void end() {
            entered(of.state());
        }

        @Override
        public void round(long number) {
            if (events) monitor.event("MIGRATION_PASS", Map.of("pass", number));
        }
    }

    private Object cancel() {
        // Over, it may still listen.
        if (migration != null && !incoming) migration.cancel();
        return Map.of();
    }

    private Object proceed(Arguments arguments) throws Refusal {
        String asked = arguments.string("state");
        MigrationState now = migration == null ? MigrationState.NONE : migration.state();
        if (migration == null
                || now != MigrationState.PRE_SWITCHOVER
                || !asked.equals(now.wireName())) {
            throw Refusal.generic("Migration not in expected state: %s", now.wireName());
        }
        migration.proceed();
        return Map.of();
    }

    /** What query-migrate tells: nothing before the first migration. */
    Map<String, Object> query() {
        if (migration == null) return Map.of();
        return incoming ? QueryMigrate.ofDestination(migration) : QueryMigrate.ofSource(migration);
    }

    private Object yank(Arguments arguments) throws Refusal {
        int found = 0;
        List<Arguments> instances = arguments.objects("instances");
        for (Arguments instance : instances) {
            String type = instance.string("type");
            TypeCheck.check(
                    INSTANCES.getOrDefault(type, INSTANCE), instance.members(), "instances");
            if (type.equals("migration") && running()) found++;
        }
        if (found < instances.size()) throw Refusal.deviceNotFound("Instance not found");
        if (found > 0) current().ifPresent(Migration::yank);
        return Map.of();
    }

    private Object queryYank() {
        return running() ? List.of(Map.of("type", "migration")) : List.of();
    }

    boolean running() {
        return current().isPresent();
    }

    /** The one that runs. */
    Optional<Migration> current() {
        return Optional.ofNullable(migration).filter(it -> !it.state().isFinal());
    }

    /** Ends what runs, and waits for it. */
    @Override
    public void close() {
        Migration last;
        synchronized (monitor.lock()) {
            last = migration;
            current().ifPresent(Migration::cancel);
        }
        boolean interrupted = false;
        while (last != null) {
            try {
                if (last.await(Duration.ofSeconds(20))) break;
                LOG.warn(
                        "the QMP server's end waits for {}, which is '{}'",
                        last.name(),
                        last.state().wireName());
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (last != null) last.cancel(); // over, it may still listen
        if (interrupted) Thread.currentThread().interrupt();
    }
}
