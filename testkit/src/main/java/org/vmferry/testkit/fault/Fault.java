package org.vmferry.testkit.fault;

import org.vmferry.spi.Status;

import java.time.Duration;

/**
 * What is to go wrong on a transport, and where: one of its {@link Faults}.
 *
 * <p>Bytes are counted from 0, for each end apart: for each channel by itself, in the order in
 * which they were opened or accepted; in files all transfers together.
 *
 * @param kind what happens
 * @param reading to bytes that are read; else to those that are written
 * @param channel to which channel, 0 is the main one; meaningless in files
 * @param at at which byte; for {@link Kind#REFUSE} at which call of open, accept or file, from 1
 * @param value as the kind has it
 */
@Status(Status.Level.EXPERIMENTAL)
public record Fault(Kind kind, boolean reading, int channel, long at, long value) {
    /** What can happen. */
    @Status(Status.Level.EXPERIMENTAL)
    public enum Kind {
        /** From there on each transfer waits for {@code value} ns first. */
        DELAY,
        /** From there on a transfer moves {@code value} bytes at the most. */
        SPLIT,
        /** The connection is lost: for both directions, and for the peer too. */
        CUT,
        /** The byte is changed: {@code value} is XORed into it. */
        CORRUPT,
        /** Nothing moves any more, until the end or the channel is released or closed. */
        STALL,
        /** The call is refused. */
        REFUSE,
        /** The disk is full: what no longer fits raises "No space left on device". */
        FULL
    }

    /**
     * Every transfer takes longer.
     *
     * @param by for how long it waits
     * @return the fault, for what is written
     */
    public static Fault delay(Duration by) {
        return new Fault(Kind.DELAY, false, 0, 0, by.toNanos());
    }

    /**
     * Every transfer is small, as a slow link's are.
     *
     * @param most bytes, at least 1
     * @return the fault, for what is written
     */
    public static Fault split(int most) {
        if (most < 1) throw new IllegalArgumentException("pieces of " + most + " bytes");
        return new Fault(Kind.SPLIT, false, 0, 0, most);
    }

    /**
     * The connection is lost.
     *
     * @param at the first byte that does not pass
     * @return the fault, for what is written
     */
    public static Fault cut(long at) {
        return new Fault(Kind.CUT, false, 0, at, 0);
    }

    /**
     * A byte is damaged.
     *
     * @param at which one
     * @param bits are flipped in it
     * @return the fault, for what is written
     */
    public static Fault corrupt(long at, int bits) {
        return new Fault(Kind.CORRUPT, false, 0, at, bits);
    }

    /**
     * The peer hangs.
     *
     * @param at the first byte that does not pass
     * @return the fault, for what is written
     */
    public static Fault stall(long at) {
        return new Fault(Kind.STALL, false, 0, at, 0);
    }

    /**
     * A call of open, accept or file is refused.
     *
     * @param call which one, from 1
     * @return the fault
     */
    public static Fault refuse(int call) {
        return new Fault(Kind.REFUSE, false, 0, call, 0);
    }

    /**
     * The disk fills up.
     *
     * @param room bytes that still fit
     * @return the fault, for what is written
     */
    public static Fault full(long room) {
        return new Fault(Kind.FULL, false, 0, room, 0);
    }

    /**
     * The same for what is read.
     *
     * @return the fault
     */
    public Fault whenReading() {
        return new Fault(kind, true, channel, at, value);
    }

    /**
     * The same on another channel.
     *
     * @param number 0 is the main one
     * @return the fault
     */
    public Fault onChannel(int number) {
        return new Fault(kind, reading, number, at, value);
    }

    /** The same, so many bytes later. */
    Fault after(long bytes) {
        return new Fault(kind, reading, channel, Math.addExact(bytes, at), value);
    }
}
