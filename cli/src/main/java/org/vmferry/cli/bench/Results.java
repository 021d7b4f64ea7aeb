package org.vmferry.cli.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What was measured: of each piece of work two sides' values, one for each round. A table for
 * people and a tree for programs are made of the same figures.
 */
public final class Results {
    /** Units, as they are printed. */
    static final String MS = "ms",
            SECONDS = "s",
            CPU = "CPU s",
            RATE = "GB/s",
            MIB = "MiB",
            HEAP = "heap, MiB",
            PAGES = "pages",
            COUNT = "";

    /**
     * Values in the order of their rounds.
     *
     * @param values none, where that side does not do this work
     */
    public record Figures(List<Double> values) {
        /**
         * The one in the middle.
         *
         * @return of an even number the mean of the two; null if there are none
         */
        public Double median() {
            if (values.isEmpty()) return null;
            List<Double> sorted = values.stream().sorted().toList();
            int half = sorted.size() / 2;
            return sorted.size() % 2 == 1
                    ? sorted.get(half)
                    : (sorted.get(half - 1) + sorted.get(half)) / 2;
        }

        double least() {
            return values.stream().min(Double::compare).orElseThrow();
        }

        double most() {
            return values.stream().max(Double::compare).orElseThrow();
        }

        private Map<String, Object> tree() {
            if (values.isEmpty()) return null;
            Map<String, Object> tree = new LinkedHashMap<>();
            tree.put("median", median());
            tree.put("least", least());
            tree.put("most", most());
            tree.put("rounds", values);
            return tree;
        }

        private String cell() {
            if (values.isEmpty()) return "-";
            String least = number(least());
            String most = number(most());
            String median = number(median());
            return least.equals(most) ? median : median + " (" + least + " to " + most + ")";
        }
    }

    /**
     * One piece of work.
     *
     * @param work what was done
     * @param unit of the values
     * @param first one side's, as a QEMU's
     * @param second the other's, as vmferry's
     * @param ratio of each round in which both did it; above 1 the second side is better
     */
    public record Row(String work, String unit, Figures first, Figures second, Figures ratio) {}

    private record Work(String name, String unit) {}

    private record Values(List<Double> first, List<Double> second) {}

    private final String first;
    private final String second;
    private final Map<Work, Values> all = new LinkedHashMap<>();

    /**
     * Nothing yet.
     *
     * @param first one side's name
     * @param second the other's
     */
    Results(String first, String second) {
        this.first = first;
        this.second = second;
    }

    /** Nothing yet of a QEMU and vmferry. */
    static Results besideQemu() {
        return new Results("QEMU", "vmferry");
    }

    void add(boolean ofFirst, String work, String unit, double value) {
        Values values =
                all.computeIfAbsent(
                        new Work(work, unit),
                        w -> new Values(new ArrayList<>(), new ArrayList<>()));
        (ofFirst ? values.first : values.second).add(value);
    }

    /** The median of one side's values of a work that was done. */
    double median(boolean ofFirst, String work, String unit) {
        Values values = all.get(new Work(work, unit));
        return new Figures(ofFirst ? values.first : values.second).median();
    }

    /**
     * All of it.
     *
     * @return a row for each piece of work, in the order in which they were first done
     */
    public List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        all.forEach((work, values) -> rows.add(row(work, values)));
        return rows;
    }

    private static Row row(Work work, Values values) {
        List<Double> ratios = new ArrayList<>();
        int pairs = Math.min(values.first.size(), values.second.size());
        for (int i = 0; i < pairs; i++) {
            double one = values.first.get(i);
            double other = values.second.get(i);
            if (one <= 0 || other <= 0) continue; // too short to be counted
            ratios.add(work.unit.equals(RATE) ? other / one : one / other);
        }
        return new Row(
                work.name,
                work.unit,
                new Figures(List.copyOf(values.first)),
                new Figures(List.copyOf(values.second)),
                new Figures(ratios));
    }

    /**
     * All of it, for programs.
     *
     * @return an object for each row
     */
    public List<Object> tree() {
        List<Object> rows = new ArrayList<>();
        for (Row row : rows()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("work", row.work);
            one.put("unit", row.unit);
            one.put(first.toLowerCase(Locale.ROOT), row.first.tree());
            one.put(second.toLowerCase(Locale.ROOT), row.second.tree());
            one.put("ratio", row.ratio.tree());
            rows.add(one);
        }
        return rows;
    }

    /**
     * All of it, for people: medians, and the least and the most where they differ, as Markdown has
     * tables. A side that did nothing has no column.
     *
     * @param title of the works
     * @return lines
     */
    public List<String> table(String title) {
        List<Row> rows = rows();
        boolean both = rows.stream().anyMatch(row -> !row.first.values.isEmpty());
        List<List<String>> cells = new ArrayList<>();
        cells.add(
                both
                        ? List.of(title, "unit", first, second, "ratio")
                        : List.of(title, "unit", second));
        for (Row row : rows)
            cells.add(
                    both
                            ? List.of(
                                    row.work,
                                    row.unit,
                                    row.first.cell(),
                                    row.second.cell(),
                                    row.ratio.cell())
                            : List.of(row.work, row.unit, row.second.cell()));
        int columns = cells.getFirst().size();
        int[] widths = new int[columns];
        for (List<String> line : cells)
            for (int i = 0; i < columns; i++) widths[i] = Math.max(widths[i], line.get(i).length());
        List<String> lines = new ArrayList<>();
        for (List<String> line : cells) {
            var text = new StringBuilder("|");
            for (int i = 0; i < columns; i++)
                text.append(" %%-%ds |".formatted(Math.max(1, widths[i])).formatted(line.get(i)));
            lines.add(text.toString());
        }
        var rule = new StringBuilder("|");
        for (int width : widths) rule.append("-".repeat(Math.max(1, width) + 2)).append('|');
        lines.add(1, rule.toString());
        return lines;
    }

    /** To three digits or more; a whole number as it is. */
    static String number(double value) {
        double size = Math.abs(value);
        boolean whole = value == Math.rint(value);
        String format = whole || size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : "%.2f";
        return String.format(Locale.ROOT, format, value);
    }
}
