package org.vmferry.cli;

import java.io.PrintWriter;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Says how far a long work is: a bar that is redrawn on a terminal, a line every few seconds
 * elsewhere, or nothing. For one thread.
 */
final class Progress implements AutoCloseable {
    /** How it is said. */
    enum Style {
        BAR(TimeUnit.MILLISECONDS.toNanos(100)),
        LINES(TimeUnit.SECONDS.toNanos(5)),
        NONE(Long.MAX_VALUE);

        private final long interval;

        Style(long interval) {
            this.interval = interval;
        }
    }

    private static final int CELLS = 30;
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final PrintWriter err;
    private final Style style;
    private final String what;
    private final LongSupplier clock;
    private final long began;
    private long last;
    private int drawn;

    /**
     * Begins to watch.
     *
     * @param err where it is said
     * @param style how
     * @param what the work, such as "saving vm.snap"
     * @param clock nanoseconds from some moment on
     */
    Progress(PrintWriter err, Style style, String what, LongSupplier clock) {
        this.err = err;
        this.style = style;
        this.what = Text.line(what);
        this.clock = clock;
        began = clock.getAsLong();
        last = began;
    }

    /**
     * How far it is. Cheap to call often.
     *
     * @param done bytes
     * @param total bytes, or 0 while nobody knows
     */
    void show(long done, long total) {
        long now = clock.getAsLong();
        if (now - last < style.interval) return;
        last = now;
        double rate = done / Math.max(1e-9, (now - began) / (double) SECOND);
        if (style == Style.LINES)
            err.println("vmferry: " + what + ": " + figures(done, total, rate));
        else draw(bar(done, total) + figures(done, total, rate));
        err.flush();
    }

    private String figures(long done, long total, double rate) {
        String speed = Text.bytes(Math.rint(rate)) + "/s";
        if (total <= 0) return Text.bytes(done) + ", " + speed;
        long left = rate > 0 ? (long) Math.ceil((total - done) / rate) : -1;
        return "%3d %% of %s, %s%s"
                .formatted(
                        percent(done, total),
                        Text.bytes(total),
                        speed,
                        left < 0 ? "" : ", " + Text.seconds(left) + " left");
    }

    private String bar(long done, long total) {
        if (total <= 0) return what + " ";
        int full = (int) (percent(done, total) * CELLS / 100);
        return what + " [" + "#".repeat(full) + " ".repeat(CELLS - full) + "] ";
    }

    private static long percent(long done, long total) {
        return Math.clamp((long) (100.0 * done / total), 0, 100);
    }

    private void draw(String line) {
        err.print("\r" + line + " ".repeat(Math.max(0, drawn - line.length())));
        drawn = line.length();
    }

    /** Takes the bar away. */
    @Override
    public void close() {
        if (drawn == 0) return;
        err.print("\r" + " ".repeat(drawn) + "\r");
        err.flush();
        drawn = 0;
    }
}
