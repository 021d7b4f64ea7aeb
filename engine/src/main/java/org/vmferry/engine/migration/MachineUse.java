package org.vmferry.engine.migration;

import org.vmferry.engine.guard.StandIn;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.RunState;

import java.util.IdentityHashMap;
import java.util.Map;

/**
 * A migration's use of its machine, which excludes any other's: of all engines in this process (ADR
 * 6). It lasts from before anything is opened until no thread of the migration can touch the
 * machine any more. A machine is known by its identity, so two objects over one guest can't be
 * told.
 */
public final class MachineUse {
    /** By the host's machine; guarded by itself, as all fields of all uses. */
    private static final Map<Migratable, MachineUse> USED = new IdentityHashMap<>();

    private final Migratable machine;
    private final String migration;
    private final boolean loads;
    private final MachineUse outer; // that lends it to this one, or null
    private Thread borrower;
    private boolean abandoned;
    private boolean yields;
    private boolean resumes;
    private boolean over;

    private MachineUse(Migratable machine, String migration, boolean loads, MachineUse outer) {
        this.machine = machine;
        this.migration = migration;
        this.loads = loads;
        this.outer = outer;
    }

    /**
     * Begins to use a machine whose guest is to be sent.
     *
     * @throws MigrationException if another migration uses it, or it has no guest to send
     */
    public static MachineUse toSend(Migratable machine, String migration)
            throws MigrationException {
        return begin(machine, migration, false);
    }

    /**
     * Begins to use a machine that is to be loaded into.
     *
     * @throws MigrationException if another migration uses it, or its own guest may run
     */
    public static MachineUse toLoad(Migratable machine, String migration)
            throws MigrationException {
        return begin(machine, migration, true);
    }

    private static MachineUse begin(Migratable machine, String migration, boolean loads)
            throws MigrationException {
        Migratable hosts = hosts(machine);
        MachineUse use;
        synchronized (USED) {
            MachineUse other = USED.get(hosts);
            boolean free = other == null || other.yields;
            if (!free && other.borrower != Thread.currentThread()) throw other.excludes();
            use = new MachineUse(hosts, migration, loads, other);
            USED.put(hosts, use);
        }
        // Only now: what used it until now may just have changed its state.
        try {
            if (loads) requireStill(machine);
            else requireGuest(machine);
            use.displace();
            return use;
        } catch (MigrationException | RuntimeException | Error e) {
            use.end();
            throw e;
        }
    }

    private void displace() {
        synchronized (USED) {
            if (outer != null && outer.yields) outer.over = true;
        }
    }

    private static Migratable hosts(Migratable machine) {
        Migratable hosts = machine;
        while (hosts instanceof StandIn standIn) hosts = standIn.machine();
        return hosts;
    }

    private MigrationException excludes() {
        return MigrationException.user(
                "%s uses the machine%s: it can be in one migration at a time",
                migration,
                abandoned
                        ? ", for a thread of it hangs since it was given up, and may touch its RAM"
                        : "");
    }

    private static void requireGuest(Migratable machine) throws MigrationException {
        String why =
                switch (machine.runState()) {
                    case INMIGRATE -> "it waits for a guest, and has none to send";
                    case FINISH_MIGRATE -> "its guest is being sent, or was";
                    case POSTMIGRATE ->
                            "its guest was sent already; if it is to go on here, let the machine"
                                    + " enter another state first";
                    default -> null;
                };
        if (why != null) throw refusal(machine.runState(), why);
    }

    /**
     * Makes sure that nothing but a load changes a machine.
     *
     * @throws MigrationException if its own guest runs, or may begin to
     */
    static void requireStill(Migratable machine) throws MigrationException {
        String why =
                switch (machine.runState()) {
                    case RUNNING -> "its guest runs, and would be written over: stop it first";
                    case SUSPENDED -> "its guest sleeps, and may wake up: stop it first";
                    case FINISH_MIGRATE -> "its guest is being sent, or was";
                    default -> null;
                };
        if (why != null) throw refusal(machine.runState(), why);
    }

    private static MigrationException refusal(RunState state, String why) {
        return MigrationException.user("the machine is '%s': %s", state.wireName(), why);
    }

    /** Whether a migration uses a machine now. */
    public static boolean isUsed(Migratable machine) {
        synchronized (USED) {
            MachineUse use = USED.get(hosts(machine));
            return use != null && !use.yields;
        }
    }

    /** Whether a migration loads into a machine now. */
    public static boolean isLoaded(Migratable machine) {
        synchronized (USED) {
            MachineUse use = USED.get(hosts(machine));
            return use != null && use.loads;
        }
    }

    /** It goes on, as a thread hangs, but its migration is over. */
    public void abandon() {
        synchronized (USED) {
            abandoned = true;
        }
    }

    /**
     * The load is done but for what the machine's own {@code enter} does in this thread: that may
     * send the guest on.
     */
    public void lend() {
        synchronized (USED) {
            borrower = Thread.currentThread();
        }
    }

    /**
     * The migration is over, but may come to resume its guest: until then whoever else uses the
     * machine takes it from it for good.
     */
    public void yield() {
        synchronized (USED) {
            yields = true;
        }
    }

    /** Whether it was ended, or taken from it. */
    boolean isOver() {
        synchronized (USED) {
            return over;
        }
    }

    /**
     * Begins to resume the guest; nobody else uses the machine meanwhile.
     *
     * @return false if somebody has taken it, or just tries to
     */
    boolean resume() {
        synchronized (USED) {
            if (over || USED.get(machine) != this) return false;
            yields = false;
            resumes = true;
            return true;
        }
    }

    /**
     * The guest is to be resumed by hand: takes the machine from whom it is yielded by.
     *
     * @return false if that one resumes it just now
     */
    public static boolean take(Migratable machine) {
        synchronized (USED) {
            MachineUse use = USED.get(hosts(machine));
            if (use == null) return true;
            if (use.yields) use.end();
            return !use.resumes;
        }
    }

    /** No thread of the migration touches the machine any more. Ending twice does nothing. */
    public void end() {
        synchronized (USED) {
            over = true;
            // What borrowed it may go on for longer.
            MachineUse last = USED.get(machine);
            while (last != null && last.over) last = last.outer;
            if (last == null) USED.remove(machine);
            else USED.put(machine, last);
        }
    }
}
