package org.vmferry.cli;

import org.vmferry.spi.Printable;

import java.io.PrintWriter;
import java.util.ArrayDeque;
import java.util.Deque;
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
    private static final int FIGURES = 50; // what stands behind the bar, at the most
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    /** A rate is that of so long ago until now. */
    private static final long RECENTLY = 10 * SECOND;

    /** After so long without a byte there is no rate. */
    private static final long STILL = 3 * SECOND;

    /** How far it was at a moment. */
    private record Mark(long when, long done) {}

    private final PrintWriter err;
    private final Style style;
    private final int width;
    private final String what;
    private final LongSupplier clock;
    private final Deque<Mark> marks = new ArrayDeque<>(); // of late, at least one
    private long before; // bytes
    private long moved; // when it came further
    private long last;
    private int drawn;

    /**
     * Begins to watch.
     *
     * @param err where it is said
     * @param style how
     * @param width the terminal's columns, for a bar
     * @param what the work, such as "saving vm.snap"
     * @param clock nanoseconds from some moment on
     */
    Progress(PrintWriter err, Style style, int width, String what, LongSupplier clock) {
        this.err = err;
        this.style = style;
        this.width = width;
        this.what = Printable.line(what);
        this.clock = clock;
        last = clock.getAsLong();
        moved = last;
        marks.add(new Mark(last, 0));
    }

    /**
     * How far it is. Cheap to call often.
     *
     * @param done bytes
     * @param total bytes, or 0 while nobody knows
     */
    void show(long done, long total) {
        long now = clock.getAsLong();
        if (done != before) moved = now;
        before = done;
        if (now - marks.getLast().when >= SECOND / 10) marks.add(new Mark(now, done));
        while (marks.size() > 1 && now - marks.getFirst().when > RECENTLY) marks.removeFirst();
        if (now - last < style.interval) return;
        last = now;
        String figures = far(done, total) + pace(now, total - done, total > 0);
        if (style == Style.LINES) err.println("vmferry: " + what + ": " + figures);
        else draw(bar(done, total) + figures);
        err.flush();
    }

    private static String far(long done, long total) {
        if (total <= 0) return Text.bytes(done);
        return "%3d %% of %s".formatted(percent(done, total), Text.bytes(total));
    }

    /**
     * How fast it has been of late, and how long that would still take: nothing before there is a
     * second that it can be told from.
     */
    private String pace(long now, long rest, boolean known) {
        if (now - moved >= STILL) return ", nothing for " + Text.seconds((now - moved) / SECOND);
        Mark first = marks.getFirst();
        if (now - first.when < SECOND) return "";
        double seconds = (now - first.when) / (double) SECOND;
        double rate = Math.max(0, before - first.done) / seconds;
        String speed = ", " + Text.bytes(Math.rint(rate)) + "/s";
        if (!known || rate == 0) return speed;
        return speed + ", " + Text.seconds((long) Math.ceil(rest / rate)) + " left";
    }

    private String bar(long done, long total) {
        if (total <= 0) return what + " ";
        int cells = Math.min(CELLS, width - what.length() - FIGURES);
        if (cells < 5) return what + " ";
        int full = (int) (percent(done, total) * cells / 100);
        return what + " [" + "#".repeat(full) + " ".repeat(cells - full) + "] ";
    }

    private static long percent(long done, long total) {
        return Math.clamp((long) (100.0 * done / total), 0, 100);
    }

    private void draw(String whole) {
        String line = whole.substring(0, Math.min(whole.length(), width - 1)); // none is wrapped
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
