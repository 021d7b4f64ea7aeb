package org.vmferry.engine.migration;

/** When who waits says so again: after 20 s, and then more and more seldom. For one thread. */
final class Reminder {
    private static final long FIRST_MS = 20_000;

    private long next = FIRST_MS;

    /** The ms of waiting after which to say so next. */
    long next() {
        return next;
    }

    /**
     * Whether to say so now.
     *
     * @param waited ms so far; when it is less than before, another wait has begun
     */
    boolean due(long waited) {
        if (waited < FIRST_MS) next = FIRST_MS;
        if (waited < next) return false;
        while (next <= waited) next *= 2;
        return true;
    }
}
