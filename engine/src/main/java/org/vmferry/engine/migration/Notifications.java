package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Mode;
import org.vmferry.spi.machine.MachineArchive;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationInfo;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.notifier.MigrationVeto;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.FileTransport;

import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Tells the notifiers of one migration: in order, each only if it was told of the beginning, and
 * one end only.
 */
final class Notifications {
    private static final Logger LOG = Log.of(Notifications.class);

    private final MigrationInfo migration;
    private final List<MigrationNotifier> notifiers;
    private final Mode mode;
    private List<MigrationNotifier> told = new ArrayList<>(); // guarded by this

    private Notifications(MigrationInfo migration, List<MigrationNotifier> notifiers, Mode mode) {
        this.migration = migration;
        this.notifiers = notifiers;
        this.mode = mode;
    }

    /**
     * Those of a route.
     *
     * @param address the route's; of a destination that listens, where it does
     */
    static Notifications of(
            MigrationSession session,
            Migratable machine,
            MigrationInfo.Direction direction,
            Route route,
            Address address) {
        MigrationInfo.Kind kind =
                !(route.transport() instanceof FileTransport)
                        ? MigrationInfo.Kind.LIVE
                        : machine instanceof MachineArchive
                                ? MigrationInfo.Kind.CONVERSION
                                : MigrationInfo.Kind.SNAPSHOT;
        return new Notifications(
                new Info(session, direction, kind, address),
                route.notifiers(),
                mode(session.options()));
    }

    /** The mode that was asked for. */
    static Mode mode(Options options) {
        String name = options.get(EngineOptions.MODE);
        return name.equals(Mode.CPR_REBOOT.wireName()) ? Mode.CPR_REBOOT : Mode.NORMAL;
    }

    private record Info(MigrationSession session, Direction direction, Kind kind, Address address)
            implements MigrationInfo {
        @Override
        public String name() {
            return session.name();
        }

        @Override
        public Options options() {
            return session.options();
        }

        @Override
        public Optional<UUID> uuid() {
            return Optional.of(session.uuid()).filter(uuid -> !uuid.equals(StreamHeader.NO_UUID));
        }

        @Override
        public String toString() {
            return name();
        }
    }

    /** The set-up; the first veto fails the migration with its reason. */
    void setUp() throws MigrationException {
        MigrationEvent event = new MigrationEvent.PrecopySetup(mode, migration);
        for (MigrationNotifier notifier : notifiers) {
            try {
                if (!notifier.modes().contains(mode) || !notifier.hears(migration)) continue;
                notifier.notify(event);
            } catch (MigrationVeto veto) {
                throw forbidden(Blame.USER, notifier + " forbids it: " + veto.getMessage(), veto);
            } catch (Throwable t) { // its code may throw anything, and one rule is for all
                if (closes(notifier)) {
                    String why = said(notifier, t) + "; it fails closed, and so forbids it";
                    throw forbidden(Blame.PLUGIN, why, t);
                }
                goesOn(notifier, "set-up", t);
            }
            wasTold(notifier);
        }
    }

    private static boolean closes(MigrationNotifier notifier) {
        try {
            return notifier.failsClosed();
        } catch (Throwable t) {
            return true; // who can't say so may be a guard
        }
    }

    private MigrationException forbidden(Blame blame, String why, Throwable cause) {
        failed(why);
        return new MigrationException(blame, why, cause);
    }

    /** The guard's sentence; what the JVM throws in need passes it without one. */
    private static String said(MigrationNotifier notifier, Throwable t) {
        return t instanceof UncheckedIOException e
                ? e.getCause().getMessage()
                : notifier + " threw " + t;
    }

    private synchronized void wasTold(MigrationNotifier notifier) {
        told.add(notifier);
    }

    /** Everything was sent, or has come. */
    void done() {
        tell(new MigrationEvent.PrecopyDone(mode, migration));
    }

    /** It failed; whoever was told of the set-up is told why. */
    void failed(String reason) {
        tell(new MigrationEvent.PrecopyFailed(mode, reason, migration));
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
            } catch (Throwable t) {
                goesOn(notifier, event.getClass().getSimpleName(), t);
            }
        }
    }

    private void goesOn(MigrationNotifier notifier, String at, Throwable t) {
        LOG.warn("{}: at {}, {}; it goes on", migration, at, said(notifier, t));
        LOG.debug("{}: {}", migration, notifier, t);
    }
}
