package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Mode;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.notifier.MigrationVeto;

import java.util.ArrayList;
import java.util.List;

/**
 * Tells the notifiers of one migration: in order, each only if it was told of the beginning, and
 * one end only.
 */
final class Notifications {
    private static final Logger LOG = Log.of(Notifications.class);

    private final String migration;
    private final List<MigrationNotifier> notifiers;
    private final Mode mode;
    private List<MigrationNotifier> told = new ArrayList<>(); // guarded by this

    Notifications(String migration, List<MigrationNotifier> notifiers, Mode mode) {
        this.migration = migration;
        this.notifiers = notifiers;
        this.mode = mode;
    }

    /** The set-up; the first veto fails the migration with its reason. */
    void setUp() throws MigrationException {
        for (MigrationNotifier notifier : notifiers) {
            try {
                if (!notifier.modes().contains(mode)) continue;
                notifier.notify(new MigrationEvent.PrecopySetup(mode));
                wasTold(notifier);
            } catch (MigrationVeto veto) {
                String reason = "'%s' forbids it: %s".formatted(notifier.id(), veto.getMessage());
                failed(reason);
                throw MigrationException.user("%s", reason);
            } catch (RuntimeException e) {
                goesOn(notifier, "set-up", e);
                wasTold(notifier);
            }
        }
    }

    private synchronized void wasTold(MigrationNotifier notifier) {
        told.add(notifier);
    }

    /** Everything was sent. */
    void done() {
        tell(new MigrationEvent.PrecopyDone(mode));
    }

    /** It failed; whoever was told of the set-up is told why. */
    void failed(String reason) {
        tell(new MigrationEvent.PrecopyFailed(mode, reason));
    }

    private void tell(MigrationEvent event) {
        List<MigrationNotifier> listening;
        synchronized (this) {
            listening = told;
            told = new ArrayList<>();
        }
        for (MigrationNotifier notifier : listening) {
            try {
                notifier.notify(event);
            } catch (MigrationVeto | RuntimeException e) {
                goesOn(notifier, event, e);
            }
        }
    }

    private void goesOn(MigrationNotifier notifier, Object at, Exception e) {
        String why = e.toString();
        LOG.warn("{}: notifier {} failed at {}; it goes on: {}", migration, notifier, at, why);
        LOG.debug("{}: notifier {}", migration, notifier, e);
    }
}
