package org.vmferry.it.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** What a migration must not leave behind. */
public final class Leftovers {
    private static final String OURS =
            "(send|receive|inspect)-\\d+.*|vmferry-(deadline|ahead)-.*|vmferry-reference-cpu";
    private static final long SOON_MS = 5000;

    private Leftovers() {}

    /** Threads of migrations, machines left aside; who is on its way out is waited for. */
    public static void assertNoThreads() throws InterruptedException {
        for (Thread thread : threads("(send|receive|inspect)-\\d+.*|vmferry-(deadline|ahead)-.*")) {
            thread.join(SOON_MS);
            assertThat(thread.isAlive()).as(thread.getName()).isFalse();
        }
    }

    /** As above, with the machines'. */
    public static void assertNoThreadsAtAll() throws InterruptedException {
        assertNoThreads();
        assertThat(threads(OURS)).isEmpty();
    }

    private static List<Thread> threads(String names) {
        Set<Thread> all = Thread.getAllStackTraces().keySet();
        return all.stream().filter(thread -> thread.getName().matches(names)).toList();
    }

    /** How many descriptors this process has open. */
    public static long descriptors() throws IOException {
        try (var files = Files.list(Path.of("/proc/self/fd"))) {
            return files.count();
        }
    }
}
