package org.vmferry.multifd;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.util.UUID;

/** One channel of a receiver, as the migration thread sees it. Guarded by the workers' lock. */
final class Member {
    final int id;
    final UUID uuid; // the machine's that it is for
    final CountedInput source;
    final PacketNumbers numbers = new PacketNumbers(); // its worker's until it is at a sync
    boolean seated; // it has its id
    boolean begun; // its first packet has
    boolean left; // it ended before, or is for another machine
    boolean atSync;
    boolean pagesSinceSync;
    boolean metInEnd; // a SYNC of the RAM section's last part
    boolean ended;
    IOException endedBy; // null if in order
    private long bytes; // that had come when it was looked at last
    private long moved; // nanoTime; when that was more than before

    Member(int id, UUID uuid, CountedInput source) {
        this.id = id;
        this.uuid = uuid;
        this.source = source;
    }

    /** From now on it is timed. */
    void watch() {
        bytes = source.bytes();
        moved = System.nanoTime();
    }

    /** For how many ns it has given no byte, or since it is watched. */
    long silence() {
        if (bytes != source.bytes()) watch();
        return System.nanoTime() - moved;
    }

    /** What its end means to somebody who still waits for it. */
    MigrationException endedEarly() {
        String why = endedBy == null ? "" : ": " + endedBy.getMessage();
        return new MigrationException(
                endedBy instanceof MigrationException e ? e.blame() : Blame.TRANSPORT,
                source.name() + " ended before the SYNC that the main stream waits for" + why,
                endedBy);
    }
}
