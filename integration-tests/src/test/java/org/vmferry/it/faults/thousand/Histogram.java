package org.vmferry.it.faults.thousand;

import java.util.Comparator;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** How often what came of a fault; prints the tables of docs/reliability.md. */
final class Histogram {
    /** Counts of one row of docs/ownership.md. */
    private static final class Row {
        int all;
        int here;
        int there;
        final Map<String, Integer> ends = new TreeMap<>();
    }

    /** Counts of one kind of fault. */
    private static final class Kind {
        int all;
        int struck;
        int afterPause;
    }

    private final Map<String, Row> rows =
            new TreeMap<>(Comparator.comparingInt(row -> Integer.parseInt(row.substring(4))));
    private final Map<Harm, Kind> kinds = new EnumMap<>(Harm.class);
    private final long began = System.nanoTime();
    private final Set<String> threw = new TreeSet<>();
    private int all;

    /** One more. */
    void add(Outcome seen, Verdict verdict) {
        all++;
        Row row = rows.computeIfAbsent(verdict.row(), _ -> new Row());
        row.all++;
        if (seen.runsHere()) row.here++;
        if (seen.runsThere()) row.there++;
        row.ends.merge(state(seen.source()) + " / " + state(seen.destination()), 1, Integer::sum);
        Kind kind = kinds.computeIfAbsent(seen.plan().harm(), _ -> new Kind());
        kind.all++;
        if (seen.hasStruck()) kind.struck++;
        if (seen.hasStruck() && seen.plan().harm().isOfCallback()) threw.add(seen.struck());
        if (seen.hasStruck() && seen.struckAfterPause()) kind.afterPause++;
    }

    private static String state(Outcome.End end) {
        return end.exists() ? end.state().wireName() : "-";
    }

    /** How many there were. */
    int all() {
        return all;
    }

    /** Of how many a fault struck. */
    int struck() {
        return kinds.values().stream().mapToInt(kind -> kind.struck).sum();
    }

    /** Of how many it struck after the pause. */
    int afterPause() {
        return kinds.values().stream().mapToInt(kind -> kind.afterPause).sum();
    }

    /** Which methods threw, each at its side. */
    Set<String> threw() {
        return threw;
    }

    @Override
    public String toString() {
        double seconds = (System.nanoTime() - began) / 1e9;
        StringBuilder text = new StringBuilder();
        text.append(
                "%d migrations, %d struck, %d of them after the pause, %d methods that threw; "
                        .formatted(all, struck(), afterPause(), threw.size()));
        text.append("%.0f s, %.1f in a second%n%n".formatted(seconds, all / seconds));
        text.append("| row | migrations | runs at the source | at the destination | neither |")
                .append(" source / destination |\n|---|---|---|---|---|---|\n");
        rows.forEach(
                (name, row) ->
                        text.append(
                                "| %s | %d | %d | %d | %d | %s |%n"
                                        .formatted(
                                                name,
                                                row.all,
                                                row.here,
                                                row.there,
                                                row.all - row.here - row.there,
                                                ends(row))));
        text.append("\n| fault | migrations | struck | after the pause |\n|---|---|---|---|\n");
        kinds.forEach(
                (harm, kind) ->
                        text.append(
                                "| %s | %d | %d | %d |%n"
                                        .formatted(
                                                harm.name()
                                                        .toLowerCase(Locale.ROOT)
                                                        .replace('_', ' '),
                                                kind.all,
                                                kind.struck,
                                                kind.afterPause)));
        return text.toString();
    }

    private static String ends(Row row) {
        StringBuilder text = new StringBuilder();
        row.ends.forEach(
                (states, count) ->
                        text.append(text.isEmpty() ? "" : ", ")
                                .append(count)
                                .append(' ')
                                .append(states));
        return text.toString();
    }
}
