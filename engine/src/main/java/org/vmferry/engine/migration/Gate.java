package org.vmferry.engine.migration;

import org.vmferry.spi.MigrationException;

/** Where a migration waits for its operator (pause-before-switchover). */
final class Gate {
    private boolean open; // guarded by this

    Gate(MigrationSession session) {
        session.onFailure(this::open);
    }

    /** Lets the migration go on, now or when it comes here. */
    synchronized void open() {
        open = true;
        notifyAll();
    }

    /** Waits until it is open, or the migration has failed. */
    synchronized void pass(MigrationSession session) throws MigrationException {
        try {
            while (!open) wait();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw MigrationException.host("the migration's thread was interrupted");
        }
        session.check();
    }
}
