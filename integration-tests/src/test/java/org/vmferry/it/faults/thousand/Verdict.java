package org.vmferry.it.faults.thousand;

import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.faults.thousand.Outcome.End;
import org.vmferry.it.faults.thousand.Way.Link;
import org.vmferry.spi.Blame;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What docs/ownership.md says of an outcome: its row, and where the two disagree.
 *
 * @param row such as OWN-6
 * @param violations none if all is as it should be
 */
record Verdict(String row, List<String> violations) {
    /** The verdict on an outcome. */
    static Verdict of(Outcome seen) {
        Judge judge = new Judge(seen);
        String row =
                switch (seen.plan().way().link()) {
                    case SAVE -> judge.save();
                    case LOAD -> judge.load();
                    default -> judge.byFault(judge.live());
                };
        judge.always();
        return new Verdict(row, judge.violations);
    }

    private static final class Judge {
        private final Outcome seen;
        private final Plan plan;
        private final End source;
        private final End destination;
        private final List<String> violations = new ArrayList<>();

        Judge(Outcome seen) {
            this.seen = seen;
            plan = seen.plan();
            source = seen.source();
            destination = seen.destination();
        }

        private void require(boolean holds, String what) {
            if (!holds) violations.add(what);
        }

        private static boolean completed(End end) {
            return end.is(MigrationState.COMPLETED);
        }

        /** What holds whatever happens. */
        void always() {
            require(!source.hangs(), "the source hangs");
            require(!destination.hangs(), "the destination hangs");
            require(seen.left().isEmpty(), "something is left: " + seen.left());
            require(!(seen.runsHere() && seen.runsThere()), "the guest runs in both");
            require(!(seen.wentOnHere() && seen.ranThere()), "the guest ran in both");
            boolean first = seen.paused() || !source.exists() || plan.way().link() == Link.LOAD;
            require(first || !seen.ranThere(), "it ran there before it stood here");
            boolean damaged = plan.harm() == Harm.CORRUPT && !plan.way().tls();
            require(seen.harmed().isEmpty() || damaged, "harmed: " + seen.harmed());
            boolean tooLate = plan.harm().isOrder() && !plan.harm().stalls() && !seen.won();
            tooLate |= plan.harm() == Harm.INTERRUPT;
            if (!seen.hasStruck() || tooLate) {
                boolean went = seen.ranThere() || plan.way().link() == Link.SAVE;
                require(went, "nothing went wrong, and the guest did not go");
            }
            End mine = plan.side() == Side.SOURCE ? source : destination;
            if (plan.harm().throwsSomething() && seen.hasStruck()) named(mine);
            if (plan.harm().cancels() && seen.won()) {
                require(mine.is(MigrationState.CANCELLED), "a cancel was taken");
            }
            if (plan.harm().yanks() && seen.won()) {
                // Too late to fail it, a yank lets go whatever hangs.
                boolean cuts =
                        seen.endBegun() || seen.ranThere() || plan.moment() == Moment.COMPLETE;
                cuts |= mine.owner() == GuestOwner.SNAPSHOT; // it is there
                require(cuts || !completed(mine), "a yank was taken");
            }
        }

        /**
         * Whoever threw is named and blamed: a plug-in by its kind and name, a host by the part.
         */
        private void named(End mine) {
            if (completed(mine) || mine.error() == null) return; // it came too late to matter
            // Who brings no whole greeting is turned away, whatever it is; then nobody came.
            if (plan.side() == Side.DESTINATION && mine.is(MigrationState.CANCELLED)) return;
            String call = seen.struck().substring(seen.struck().indexOf(plan.side() + " "));
            call = call.substring(call.indexOf(' ') + 1).split(" ")[0];
            // Likewise a channel; a source that still sends to others hears of it late.
            if (call.equals("Receiver.arrived") && mine.error().contains("a channel is missing"))
                return;
            Blame blame = Seams.isHosts(call) ? Blame.HOST : Blame.PLUGIN;
            require(mine.blame() == blame, "it blames " + mine.blame());
            // Of a part that can't be told apart without its own code its owner is named.
            String method = call.endsWith(".id") ? "" : call.substring(call.indexOf('.') + 1);
            String named =
                    "(?s).*%s threw Injected(Exception|Error) in %s.*"
                            .formatted(Seams.who(call), method);
            // One that can't even be asked what it is was left out when it was discovered.
            if (mine.is(MigrationState.NONE) && mine.error().contains("is left out")) {
                String where = Pattern.quote("in " + plan.side() + " " + call);
                named = "(?s).*is left out: it threw .*" + where + ".*";
            }
            require(mine.error().matches(named), "it does not say: " + named);
        }

        /** A live save: it is the source's, or whole in the file. */
        String save() {
            if (completed(source)) {
                require(!seen.wentOnHere(), "it went on beside its snapshot");
                owner(source, GuestOwner.SNAPSHOT);
                return "OWN-11";
            }
            atHome();
            return "OWN-10";
        }

        /** A snapshot stays what it is. */
        String load() {
            arrival(GuestOwner.SNAPSHOT, GuestOwner.SNAPSHOT);
            return "OWN-11";
        }

        /** Of a callback that throws behind the end the table has a row of its own. */
        String byFault(String row) {
            if (!seen.hasStruck() || !plan.harm().throwsSomething()) return row;
            if (plan.side() == Side.DESTINATION) return seen.ranThere() ? "OWN-37" : row;
            return seen.endBegun() && !row.equals("OWN-8") ? "OWN-36" : row;
        }

        String live() {
            if (!source.exists()) {
                arrival(GuestOwner.SOURCE, GuestOwner.SOURCE);
                return "OWN-9";
            }
            boolean told = plan.way().returnPath();
            arrival(GuestOwner.SOURCE, told ? GuestOwner.SOURCE : GuestOwner.UNKNOWN);
            if (completed(source)) {
                require(!seen.wentOnHere(), "completed, and the guest went on here");
                owner(source, GuestOwner.DESTINATION);
                if (!told) return seen.ranThere() ? "OWN-5" : "OWN-4";
                require(seen.ranThere(), "completed, and the guest does not run there");
                return "OWN-7";
            }
            if (source.owner() == GuestOwner.UNKNOWN) {
                require(seen.endBegun(), "UNKNOWN, and the end was not begun");
                require(!seen.wentOnHere(), "UNKNOWN, and the guest went on here");
                return told ? "OWN-6" : "OWN-3";
            }
            atHome();
            require(!seen.ranThere(), "it ran there, and the source takes it back");
            if (!seen.endBegun()) return early();
            require(told, "it was taken back after the end, and nobody said that it may be");
            return "OWN-8";
        }

        private String early() {
            if (plan.harm() == Harm.EXTRA) return "OWN-22";
            if (seen.hasStruck() && plan.harm().isOrder()) {
                return plan.side() == Side.SOURCE ? "OWN-33" : "OWN-34";
            }
            if (seen.hasStruck() && plan.harm().throwsSomething()) return "OWN-35";
            boolean silent = source.error() != null && source.error().contains("silence-timeout");
            if (!seen.paused()) return silent ? "OWN-12" : "OWN-1";
            return silent ? "OWN-13" : "OWN-2";
        }

        /** The guest goes on here. */
        private void atHome() {
            require(
                    source.is(MigrationState.FAILED)
                            || source.is(MigrationState.CANCELLED)
                            || source.is(MigrationState.NONE),
                    "the source ended as " + source.state());
            if (!source.is(MigrationState.NONE)) owner(source, GuestOwner.SOURCE);
            boolean said =
                    source.error() != null && source.error().contains("could not be resumed");
            boolean can = !seen.struck().contains("Machine.enter RUNNING") || !said;
            require(seen.runsHere() || !can, "nobody runs it: the source's guest stands");
        }

        /** It runs there, or never did. */
        private void arrival(GuestOwner early, GuestOwner late) {
            if (!destination.exists()) return; // it was killed
            if (completed(destination)) {
                require(seen.ranThere(), "the destination completed, and its guest never ran");
                require(seen.runsThere() || !seen.harmed().isEmpty(), "its guest stands");
                owner(destination, GuestOwner.DESTINATION);
                return;
            }
            require(!seen.ranThere(), "the destination failed, and its guest ran");
            boolean known = destination.owner() == early || destination.owner() == late;
            require(
                    known || destination.is(MigrationState.NONE),
                    "the destination names " + destination.owner());
        }

        private void owner(End end, GuestOwner owner) {
            require(end.owner() == owner, "it names " + end.owner() + ", not " + owner);
        }
    }
}
