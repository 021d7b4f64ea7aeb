package org.vmferry.cli.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What was measured, in pairs: a QEMU's and vmferry's value of the same work in the same round. */
public final class Results {
    /** Units, as they are printed. */
    static final String MS = "ms", CPU = "CPU s", RATE = "GB/s";

    /**
     * The medians of one piece of work.
     *
     * @param work what was done
     * @param unit of the values
     * @param qemu null if there is none
     * @param vmferry the value
     * @param ratio of the two in each round; above 1 vmferry is better; null without a QEMU
     */
    public record Row(String work, String unit, Double qemu, double vmferry, Double ratio) {}

    private record Work(String name, String unit) {}

    private record Values(List<Double> qemu, List<Double> vmferry) {}

    private final Map<Work, Values> all = new LinkedHashMap<>();

    /** Nothing yet. */
    public Results() {}

    void add(boolean byQemu, String work, String unit, double value) {
        Values values =
                all.computeIfAbsent(
                        new Work(work, unit),
                        w -> new Values(new ArrayList<>(), new ArrayList<>()));
        (byQemu ? values.qemu : values.vmferry).add(value);
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
        double vmferry = median(values.vmferry);
        if (values.qemu.isEmpty()) return new Row(work.name, work.unit, null, vmferry, null);
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < values.qemu.size(); i++) {
            double ratio = values.qemu.get(i) / values.vmferry.get(i);
            ratios.add(work.unit.equals(RATE) ? 1 / ratio : ratio);
        }
        return new Row(work.name, work.unit, median(values.qemu), vmferry, median(ratios));
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }
}
