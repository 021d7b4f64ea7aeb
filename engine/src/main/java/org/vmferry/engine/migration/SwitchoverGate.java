package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;

import java.util.concurrent.TimeUnit;

/** Where a migration waits for its operator (pause-before-switchover). */
final class SwitchoverGate {
    private static final Logger LOG = Log.of(SwitchoverGate.class);

    private boolean open; // guarded by this

    SwitchoverGate(MigrationSession session) {
        session.onFailure(this::open);
    }

    /** Lets the migration go on, now or when it comes here. */
    synchronized void open() {
        open = true;
        notifyAll();
    }

    /** Waits until it is open, or the migration has failed. */
    synchronized void pass(MigrationSession session) throws MigrationException {
        Reminder reminder = new Reminder();
        long began = System.nanoTime();
        try {
            while (!open) {
                long waited = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
                if (reminder.due(waited)) {
                    LOG.warn(
                            "{}: the guest stands, and waits for somebody's word to go on"
                                    + " (pause-before-switchover), {} s so far",
                            session.name(),
                            waited / 1000);
                }
                wait(reminder.next() - waited);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw MigrationException.host("the migration's thread was interrupted");
        }
        session.check();
    }
}
