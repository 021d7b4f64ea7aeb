package org.vmferry.it.faults.thousand;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Migrations with a fault each, one after another. A seed says all of one, so that it can be played
 * again alone.
 */
public final class Thousand {
    private static final PrintStream OUT = System.out;

    private final Rig rig;
    private final Histogram histogram = new Histogram();
    private final List<String> violations = new ArrayList<>();

    /** In an empty folder. */
    public Thousand(Path folder) throws Exception {
        rig = new Rig(folder);
    }

    /** Runs a seed's plan; what disagrees with docs/ownership.md is printed, and kept. */
    void run(long seed) throws Exception {
        run(Plan.of(seed));
    }

    /** Runs so many cuts, cancels and yanks: those of the seeds from this one on. */
    public void runMixed(long first, int count) throws Exception {
        int until = count() + count;
        for (long seed = first; count() < until; seed++) {
            Plan plan = Plan.of(seed);
            Harm harm = plan.harm();
            if (harm.cuts() || harm.isOrder()) run(plan);
        }
    }

    /** Runs a way once for each method of a side's that is called from a moment on: the table. */
    void runEveryCallback(Way way, Side side, Moment first, Harm... harms) throws Exception {
        for (Harm harm : harms) {
            int callbacks = rig.callbacks(new Plan(-1, way, harm, side, first, 0, 0)).size();
            for (int chance = 0; chance < callbacks; chance++) {
                run(new Plan(-1, way, harm, side, first, 0, chance));
            }
        }
    }

    /** The same for one method. */
    void runCallback(Way way, Side side, Harm harm, String method) throws Exception {
        Plan plan = new Plan(-1, way, harm, side, Moment.START, 0, 0);
        int chance = rig.callbacks(plan).indexOf(method);
        if (chance < 0) throw new IllegalArgumentException(way + " does not call " + method);
        run(new Plan(-1, way, harm, side, Moment.START, 0, chance));
    }

    /** Which methods are called, at either side, if nothing goes wrong. */
    Set<String> called(Way way) throws Exception {
        Set<String> called = new TreeSet<>();
        for (Side side : Side.values()) {
            Plan plan = new Plan(-1, way, Harm.NONE, side, Moment.START, 0, 0);
            called.addAll(rig.callbacks(plan));
        }
        return called;
    }

    private void run(Plan plan) throws Exception {
        rig.warmUp(plan.way());
        Outcome seen =
                plan.harm() == Harm.KILL
                        ? new KillRun(rig, plan).outcome()
                        : new FaultRun(rig, plan).outcome();
        Verdict verdict = Verdict.of(seen);
        histogram.add(seen, verdict);
        if (verdict.violations().isEmpty()) return;
        String violation = verdict.row() + " " + verdict.violations() + "\n    " + seen;
        violations.add(violation);
        OUT.println("VIOLATION " + violation);
    }

    /** What disagrees with docs/ownership.md, each with its seed. */
    public List<String> violations() {
        return violations;
    }

    /** What came of them. */
    Histogram histogram() {
        return histogram;
    }

    /** How many there were. */
    public int count() {
        return histogram.all();
    }

    /**
     * The same as a program, up to the first violation; its exit status is 1 then.
     *
     * @param arguments an empty folder, the first seed, the last
     */
    public static void main(String[] arguments) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
        Thousand thousand = new Thousand(Path.of(arguments[0]));
        long last = Long.parseLong(arguments[2]);
        for (long seed = Long.parseLong(arguments[1]); seed <= last; seed++) {
            thousand.run(seed);
            if (!thousand.violations.isEmpty()) System.exit(1);
        }
        System.exit(0);
    }
}
