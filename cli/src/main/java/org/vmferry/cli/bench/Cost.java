package org.vmferry.cli.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What some processes took for something.
 *
 * @param seconds of time
 * @param cpuSeconds user and system time of all of them
 */
record Cost(double seconds, double cpuSeconds) {
    /** The clock, and the processes' time so far. */
    static final class Meter {
        private final List<Long> pids = new ArrayList<>();
        private final double cpu;
        private final long begin;

        private Meter(Long... pids) throws IOException {
            this.pids.addAll(List.of(pids));
            cpu = cpuSeconds();
            begin = System.nanoTime();
        }

        private double cpuSeconds() throws IOException {
            double sum = 0;
            for (long pid : pids) sum += Proc.cpuSeconds(pid);
            return sum;
        }

        /** From its start until now. */
        Cost read() throws IOException {
            double seconds = (System.nanoTime() - begin) / 1e9;
            return new Cost(seconds, Proc.hundredths(cpuSeconds() - cpu));
        }
    }

    /** Starts a meter. */
    static Meter of(Long... pids) throws IOException {
        return new Meter(pids);
    }
}
