package org.vmferry.it.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * What a process holds of the system's.
 *
 * @param buffers bytes in each of the JDK's pools: direct memory, mapped files
 */
public record Held(List<String> threads, long descriptors, List<Long> buffers, long residentKib) {
    /** Now that no migration is under way. */
    public static Held now() throws Exception {
        Leftovers.assertNoThreads();
        List<Long> buffers = buffersNow();
        // What a collection finds is given back by a thread of the JDK's, some time later.
        for (int same = 0; same < 3; ) {
            System.gc();
            LockSupport.parkNanos(20_000_000);
            List<Long> later = buffersNow();
            same = later.equals(buffers) ? same + 1 : 0;
            buffers = later;
        }
        long resident =
                Files.readAllLines(Path.of("/proc/self/status")).stream()
                        .filter(line -> line.startsWith("VmRSS:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                        .findFirst()
                        .orElseThrow();
        return new Held(threadsNow(), Leftovers.descriptors(), buffers, resident);
    }

    /** Names; without the JDK's own, which come and go as it likes. */
    private static List<String> threadsNow() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !isJdks(thread))
                .map(Thread::getName)
                .toList();
    }

    private static boolean isJdks(Thread thread) {
        ThreadGroup group = thread.getThreadGroup();
        if (group == null) return true; // it has just ended
        return group.getName().matches("system|InnocuousThreadGroup")
                || thread.getName().matches("process reaper.*|ForkJoinPool.*");
    }

    private static List<Long> buffersNow() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .map(BufferPoolMXBean::getMemoryUsed)
                .toList();
    }

    /**
     * It is what was held before.
     *
     * @param kib what of memory may have been added, as the JVM keeps some for itself
     */
    public void assertNoMoreThan(Held before, long kib) {
        List<String> more = new ArrayList<>(threads);
        before.threads.forEach(more::remove);
        assertThat(more).as("threads").isEmpty();
        assertThat(descriptors).as("descriptors").isLessThanOrEqualTo(before.descriptors);
        // The JDK keeps a small one for each living thread that reads into an array, this one too.
        for (int pool = 0; pool < buffers.size(); pool++) {
            assertThat(buffers.get(pool) - before.buffers.get(pool))
                    .as("growth of buffer pool %d in bytes", pool)
                    .isLessThan(4096);
        }
        assertThat(residentKib - before.residentKib).as("growth in KiB").isLessThan(kib);
    }
}
