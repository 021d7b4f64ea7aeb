package org.vmferry.engine.transport;

import org.slf4j.Logger;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Whatever of one end a thread may hang in, so that it can all be let go. Any thread. */
final class OpenChannels {
    private static final Logger log = Log.of(OpenChannels.class);

    private final String name;
    private final Set<AutoCloseable> open = new HashSet<>();
    private boolean released;

    /**
     * None yet.
     *
     * @param name of the end, for messages
     */
    OpenChannels(String name) {
        this.name = name;
    }

    /** Adds one, or closes it at once if the end was released meanwhile. */
    <C extends AutoCloseable> C add(C one) throws MigrationException {
        synchronized (this) {
            if (!released) {
                open.add(one);
                return one;
            }
        }
        close(one);
        throw givenUp();
    }

    synchronized void remove(AutoCloseable one) {
        open.remove(one);
    }

    synchronized void check() throws MigrationException {
        if (released) throw givenUp();
    }

    private MigrationException givenUp() {
        return new MigrationException(Blame.USER, name + " was given up");
    }

    /** Closes them all, and those which are added later. */
    void release() {
        List<AutoCloseable> all;
        synchronized (this) {
            released = true;
            all = List.copyOf(open);
            open.clear();
        }
        all.forEach(this::close);
    }

    private void close(AutoCloseable one) {
        try {
            one.close();
        } catch (Exception e) {
            log.debug("Closing a channel of {}", name, e);
        }
    }
}
