package org.vmferry.it.live;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** Few rows that hold every pair of values that any allowed row holds. */
final class Pairwise {
    private Pairwise() {}

    private record Pair(int column, Object value, int otherColumn, Object other) {}

    /** All rows of the product that are allowed. */
    static List<List<Object>> all(List<List<?>> columns, Predicate<List<Object>> allowed) {
        List<List<Object>> rows = List.of(List.of());
        for (List<?> column : columns) {
            List<List<Object>> longer = new ArrayList<>();
            for (List<Object> row : rows) {
                for (Object value : column) {
                    List<Object> next = new ArrayList<>(row);
                    next.add(value);
                    longer.add(next);
                }
            }
            rows = longer;
        }
        return rows.stream().filter(allowed).toList();
    }

    /** Of these rows, a few with all their pairs: always the one next that adds the most. */
    static List<List<Object>> cover(List<List<Object>> rows) {
        Set<Pair> missing = new HashSet<>();
        rows.forEach(row -> missing.addAll(pairs(row)));
        List<List<Object>> chosen = new ArrayList<>();
        while (!missing.isEmpty()) {
            List<Object> best = null;
            int most = 0;
            for (List<Object> row : rows) {
                int adds = 0;
                for (Pair pair : pairs(row)) if (missing.contains(pair)) adds++;
                if (adds > most) {
                    most = adds;
                    best = row;
                }
            }
            chosen.add(best);
            missing.removeAll(pairs(best));
        }
        return chosen;
    }

    private static Set<Pair> pairs(List<Object> row) {
        Set<Pair> pairs = new HashSet<>();
        for (int i = 0; i < row.size(); i++) {
            for (int j = i + 1; j < row.size(); j++)
                pairs.add(new Pair(i, row.get(i), j, row.get(j)));
        }
        return pairs;
    }
}
