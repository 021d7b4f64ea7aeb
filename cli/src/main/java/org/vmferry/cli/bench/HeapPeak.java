package org.vmferry.cli.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.util.List;

/**
 * How much of this JVM's heap is used at the most, garbage that was not collected yet included. Of
 * one at a time, in any thread.
 */
final class HeapPeak {
    private HeapPeak() {}

    /** Begins to watch. */
    static HeapPeak begin() {
        for (MemoryPoolMXBean pool : heap()) pool.resetPeakUsage();
        return new HeapPeak();
    }

    /** The most since then, in bytes; its parts may have come to it at different times. */
    long bytes() {
        return heap().stream().mapToLong(pool -> pool.getPeakUsage().getUsed()).sum();
    }

    private static List<MemoryPoolMXBean> heap() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .toList();
    }
}
