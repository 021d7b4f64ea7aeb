package org.vmferry.it.fuzz;

import java.util.ArrayList;
import java.util.List;

/** What came of one format's inputs. */
final class Tally {
    private static final int MOST_KEPT = 20;

    final String format;
    long inputs;
    long header;
    long start;
    long page;
    long device;
    long typed;
    long accepted;
    long other;
    long nanos;
    long cpu;
    final List<String> others = new ArrayList<>();

    Tally(String format) {
        this.format = format;
    }

    void add(long seed, Trial trial) {
        inputs++;
        if (trial.header) header++;
        if (trial.start) start++;
        if (trial.page) page++;
        if (trial.device) device++;
        switch (trial.end()) {
            case TYPED -> typed++;
            case ACCEPTED -> accepted++;
            default -> {
                other++;
                if (others.size() < MOST_KEPT) {
                    others.add(format + ":" + seed + ": " + trial.other());
                }
            }
        }
    }

    /** Those of all formats together. */
    static Tally sum(List<Tally> all) {
        Tally sum = new Tally("all");
        for (Tally one : all) {
            sum.inputs += one.inputs;
            sum.header += one.header;
            sum.start += one.start;
            sum.page += one.page;
            sum.device += one.device;
            sum.typed += one.typed;
            sum.accepted += one.accepted;
            sum.other += one.other;
            sum.nanos += one.nanos;
            sum.cpu += one.cpu;
        }
        return sum;
    }

    static String head() {
        return "| format | inputs | past header | past START | a page came | a device came | typed"
                + " error | accepted | other | s | s of CPU |\n"
                + "|---|---|---|---|---|---|---|---|---|---|---|";
    }

    @Override
    public String toString() {
        return "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d |"
                .formatted(
                        format,
                        inputs,
                        header,
                        start,
                        page,
                        device,
                        typed,
                        accepted,
                        other,
                        nanos / 1_000_000_000,
                        cpu / 1_000_000_000);
    }
}
