package org.vmferry.it.faults.thousand;

/** What goes wrong. */
enum Harm {
    /** Nothing: for comparison. */
    NONE,
    /** Every connection is lost, or a file can't be written or read any more. */
    CUT,
    /** One connection is lost. */
    CUT_ONE,
    /** Nothing moves any more. */
    STALL,
    /** A byte is damaged. */
    CORRUPT,
    /** The disk is full. */
    FULL,
    /** The source has a channel more than the destination knows of. */
    EXTRA,
    /** A side is cancelled. */
    CANCEL,
    /** Nothing moves any more, and a side is cancelled. */
    STALL_CANCEL,
    /** A side is yanked. */
    YANK,
    /** Nothing moves any more, and a side is yanked. */
    STALL_YANK,
    /** A host's or plug-in's method throws a RuntimeException. */
    THROW,
    /** A host's or plug-in's method throws an Error. */
    THROW_ERROR,
    /** A host's or plug-in's method leaves its thread interrupted: nothing comes of it. */
    INTERRUPT,
    /** A host's or plug-in's method does not come back for a minute, and its side is yanked. */
    SLEEP,
    /** A side's process is killed with -9. */
    KILL;

    boolean cuts() {
        return this == CUT || this == CUT_ONE;
    }

    boolean stalls() {
        return this == STALL || this == STALL_CANCEL || this == STALL_YANK;
    }

    /** Whether a side may wait for bytes that never come. */
    boolean silences() {
        return stalls() || this == CORRUPT || this == CUT_ONE;
    }

    /** Whether it happens to bytes on their way. */
    boolean isOfBytes() {
        return cuts() || this == CORRUPT || this == FULL || stalls();
    }

    boolean cancels() {
        return this == CANCEL || this == STALL_CANCEL;
    }

    boolean yanks() {
        return this == YANK || this == STALL_YANK || this == SLEEP;
    }

    /** Whether an operator says it. */
    boolean isOrder() {
        return cancels() || yanks();
    }

    boolean throwsSomething() {
        return this == THROW || this == THROW_ERROR;
    }

    /** Whether a method of a host's or plug-in's does it. */
    boolean isOfCallback() {
        return throwsSomething() || this == INTERRUPT || this == SLEEP;
    }
}
