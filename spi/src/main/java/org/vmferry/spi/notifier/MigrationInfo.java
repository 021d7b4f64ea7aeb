package org.vmferry.spi.notifier;

import org.vmferry.spi.Handed;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;

import java.util.Optional;
import java.util.UUID;

/**
 * The migration that a notifier is told of. The engine implements it, and it may come to say more.
 * Any thread; also after the migration.
 */
@Handed
@Status(Status.Level.STABLE)
public interface MigrationInfo {
    /**
     * Its name, as in log lines and thread names, such as {@code send-3}: all events of one
     * migration have the same.
     *
     * @return unique among the migrations of one engine
     */
    String name();

    /**
     * Which way the machine goes.
     *
     * @return never null
     */
    Direction direction();

    /**
     * What becomes of the machine.
     *
     * @return never null
     */
    Kind kind();

    /**
     * Where to or where from; where a destination listens, with the port that the system chose.
     *
     * @return as the operator wrote it: names from outside are to be cleaned before they are shown
     */
    Address address();

    /**
     * The options that it began with, the notifier's own among them.
     *
     * @return validated
     */
    Options options();

    /**
     * Which machine it is.
     *
     * @return empty if it has no UUID, or a destination that learns it from its source has not yet
     */
    Optional<UUID> uuid();

    /** Which way a machine goes. A switch over it wants a default, as there may be more. */
    @Status(Status.Level.STABLE)
    enum Direction {
        /** It is sent, or written to a file. */
        OUTGOING,
        /** It comes from a source, or is read from a file. */
        INCOMING
    }

    /** What becomes of a machine. A switch over it wants a default, as there may be more. */
    @Status(Status.Level.STABLE)
    enum Kind {
        /** It goes through channels to another process; its guest runs meanwhile, or is paused. */
        LIVE,
        /** It is saved in a file, or restored from one. */
        SNAPSHOT,
        /**
         * No guest is saved or restored: a file's machine is read to be kept, or what is kept is
         * written to a file.
         */
        CONVERSION
    }
}
