package org.vmferry.cli.watch;

import java.math.BigInteger;
import java.util.Map;

/**
 * What query-migrate told at a moment. Numbers are -1 where they were not told, or made no sense.
 *
 * @param when nanoseconds from some moment on
 * @param status QEMU's word; empty if there was no migration yet
 * @param error why it failed, or empty
 * @param total bytes of RAM
 * @param remaining bytes of these that are still to be sent
 * @param transferred bytes that went over the wire
 * @param rounds how often RAM's changes were asked for
 * @param dirtied bytes that the guest changes in a second, as of the last round's end
 * @param throttle how much the guest's CPUs are slowed, in percent
 * @param totalTime milliseconds since it began
 * @param downtime milliseconds that the guest stood still
 * @param expectedDowntime milliseconds that it would stand still now
 */
public record Glance(
        long when,
        String status,
        String error,
        long total,
        long remaining,
        long transferred,
        long rounds,
        double dirtied,
        long throttle,
        long totalTime,
        long downtime,
        long expectedDowntime) {

    /** How a migration ended. */
    public enum End {
        /** The guest, or its snapshot, is there. */
        COMPLETED,
        /** It failed. */
        FAILED,
        /** Somebody called it off. */
        CANCELLED
    }

    /**
     * Reads an answer, which may hold anything.
     *
     * @param when it came, in nanoseconds
     * @param told the object
     * @return what could be understood
     */
    public static Glance of(long when, Map<?, ?> told) {
        Map<?, ?> ram = told.get("ram") instanceof Map<?, ?> map ? map : Map.of();
        long pages = number(ram, "dirty-pages-rate");
        long pageSize = number(ram, "page-size");
        return new Glance(
                when,
                text(told, "status"),
                text(told, "error-desc"),
                number(ram, "total"),
                number(ram, "remaining"),
                number(ram, "transferred"),
                number(ram, "dirty-sync-count"),
                pages < 0 || pageSize < 0 ? -1 : (double) pages * pageSize,
                number(told, "cpu-throttle-percentage"),
                number(told, "total-time"),
                number(told, "downtime"),
                number(told, "expected-downtime"));
    }

    private static String text(Map<?, ?> of, String key) {
        return of.get(key) instanceof String text ? text : "";
    }

    /**
     * A number that is told.
     *
     * @param of an object
     * @param key its name
     * @return at least 0, or -1
     */
    public static long number(Map<?, ?> of, String key) {
        return switch (of.get(key)) {
            case Long number when number >= 0 -> number;
            case BigInteger number when number.signum() > 0 -> Long.MAX_VALUE;
            case null, default -> -1;
        };
    }

    /**
     * Whether a migration has begun, however it is now.
     *
     * @return false if none was told of
     */
    public boolean hasBegun() {
        return !status.isEmpty() && !status.equals("none");
    }

    /**
     * How it ended.
     *
     * @return null while it has not
     */
    public End end() {
        return switch (status) {
            case "completed" -> End.COMPLETED;
            case "failed" -> End.FAILED;
            case "cancelled" -> End.CANCELLED;
            default -> null;
        };
    }
}
