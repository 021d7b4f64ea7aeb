package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** What a host's log has, at the level that it has by default. */
final class Logged {
    private Logged() {}

    interface Steps {
        void run() throws Exception;
    }

    /**
     * All that is logged by these, to their threads' ends: listeners are told after a migration is
     * over. Those of an earlier test have said theirs.
     */
    static String during(Steps steps) throws Exception {
        awaitSilence();
        PrintStream before = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            steps.run();
            awaitSilence();
        } finally {
            System.setErr(before);
        }
        return said.toString(StandardCharsets.UTF_8);
    }

    private static void awaitSilence() {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (Thread.getAllStackTraces().keySet().stream().anyMatch(Logged::isOfMigration)) {
            assertThat(System.nanoTime()).as("a migration's thread goes on").isLessThan(until);
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static boolean isOfMigration(Thread thread) {
        return thread.getName().matches("(send|receive)-\\d+.*");
    }
}
