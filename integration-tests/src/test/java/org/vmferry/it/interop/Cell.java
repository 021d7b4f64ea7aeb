package org.vmferry.it.interop;

/**
 * What came of an operation.
 *
 * @param kind green is what held, and nothing else is
 * @param said how much was compared, or a sentence: what was wrong
 */
record Cell(Kind kind, String said) {
    enum Kind {
        GREEN,
        RED,
        QEMU_FAILS_TOO,
        NOT_RUN
    }

    static final Cell NOT_RUN = new Cell(Kind.NOT_RUN, "");

    private static final int LONGEST = 500;

    static Cell green(String compared) {
        return new Cell(Kind.GREEN, compared);
    }

    static Cell red(String why) {
        return new Cell(Kind.RED, why);
    }

    static Cell qemuFailsToo(String why) {
        return new Cell(Kind.QEMU_FAILS_TOO, why);
    }

    /** A number of bytes in words. */
    static String bytes(long count) {
        if (count >= 1 << 20 && count % (1 << 20) == 0) return (count >> 20) + " MiB";
        return count >= 1 << 10 ? (count >> 10) + " KiB" : count + " B";
    }

    /** What was thrown, as one line. */
    static String words(Throwable thrown) {
        String text = thrown.getMessage() == null ? thrown.toString() : thrown.getMessage();
        String line = text.strip().replaceAll("\\s+", " ");
        return line.length() > LONGEST ? line.substring(0, LONGEST) + "..." : line;
    }
}
