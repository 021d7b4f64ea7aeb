package org.vmferry.cli;

import org.vmferry.cli.watch.Glance;
import org.vmferry.cli.watch.Pace;
import org.vmferry.spi.Printable;

import java.nio.charset.Charset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.OptionalDouble;

/** A running migration as text: one line, or some with a chart. */
final class WatchView {
    private static final String SHADES = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588";
    private static final String SIGNS = "_.-:=+*#";
    private static final int MOST = 400; // samples
    private static final long SECOND = 1_000_000_000L; // ns
    private static final int LABEL = 11;

    /**
     * What a migration is held to, and may do; -1 where that is not known.
     *
     * @param downtime how long its guest may stand still, ms
     * @param bandwidth bytes a second, 0 for any
     * @param converges whether auto-converge is on
     * @param multifd whether it has several channels
     */
    record Limits(long downtime, long bandwidth, boolean converges, boolean multifd) {}

    private record Sample(OptionalDouble sent, OptionalDouble dirtied) {}

    private final String levels;
    private final Pace pace = new Pace();
    private final Deque<Sample> samples = new ArrayDeque<>();
    private long sampled;
    private Glance now;
    private Limits limits = new Limits(-1, -1, false, false);

    /** For an output of this charset. */
    WatchView(Charset charset) {
        boolean shades = charset.canEncode() && charset.newEncoder().canEncode(SHADES);
        levels = shades ? SHADES : SIGNS;
    }

    void limits(Limits told) {
        limits = told;
    }

    /** Takes what was told. */
    void add(Glance glance) {
        now = glance;
        pace.add(glance);
        if (!samples.isEmpty() && glance.when() - sampled < SECOND) return;
        sampled = glance.when();
        samples.addLast(new Sample(pace.sent(), pace.dirtied()));
        if (samples.size() > MOST) samples.removeFirst();
    }

    /** As one line. */
    String line() {
        List<String> parts = new ArrayList<>();
        parts.add(status());
        if (now.total() > 0) parts.add(ram());
        pace.sent().ifPresent(rate -> parts.add(rate(rate) + " sent"));
        pace.dirtied().ifPresent(rate -> parts.add(rate(rate) + " dirtied"));
        parts.add(end());
        return String.join(", ", parts);
    }

    /** As lines with a chart; what is not told is left out. */
    List<String> lines(int width) {
        List<String> lines = new ArrayList<>();
        String throttle = now.throttle() > 0 ? ", CPUs slowed by " + now.throttle() + " %" : "";
        lines.add(label("migration") + status() + throttle);
        if (now.total() > 0) lines.add(label("RAM") + bar(Math.min(30, width / 3)) + ram());
        double most = 1;
        for (Sample each : samples)
            most = Math.max(most, Math.max(each.sent.orElse(0), each.dirtied.orElse(0)));
        int cells = Math.max(5, width - LABEL - 36);
        String limit = limits.bandwidth > 0 ? ", may " + rate(limits.bandwidth) : "";
        lines.add(label("sent") + chart(cells, most, true) + said(pace.sent()) + limit);
        lines.add(
                label("dirtied")
                        + chart(cells, most, false)
                        + (pace.dirtied().isPresent() ? said(pace.dirtied()) : " from round 2 on"));
        lines.addAll(Text.rows(label("end") + end(), width, label("")));
        return lines;
    }

    private static String label(String name) {
        return name + " ".repeat(LABEL - name.length());
    }

    private String status() {
        StringBuilder said = new StringBuilder(Printable.line(now.status()));
        if (now.rounds() > 0) said.append(", round ").append(now.rounds());
        if (now.totalTime() >= 0) said.append(", ").append(Text.seconds(now.totalTime() / 1000));
        return said.toString();
    }

    private String ram() {
        return "%s of %s remain"
                .formatted(Text.bytes(Math.max(0, now.remaining())), Text.bytes(now.total()));
    }

    private String bar(int cells) {
        double done = 1 - (double) Math.max(0, now.remaining()) / now.total();
        int full = (int) Math.clamp(Math.floor(done * cells), 0, cells);
        return "[" + "#".repeat(full) + " ".repeat(cells - full) + "] ";
    }

    private String chart(int cells, double most, boolean sent) {
        StringBuilder chart = new StringBuilder();
        int left = samples.size();
        for (Sample each : samples) {
            if (left-- > cells) continue;
            OptionalDouble value = sent ? each.sent : each.dirtied;
            if (value.isEmpty()) chart.append(' ');
            else chart.append(levels.charAt((int) Math.min(7, value.getAsDouble() * 8 / most)));
        }
        return chart + " ".repeat(cells - chart.length());
    }

    private static String said(OptionalDouble rate) {
        return rate.isPresent() ? " " + rate(rate.getAsDouble()) : " not known yet";
    }

    private static String rate(double bytes) {
        return Text.bytes(Math.rint(bytes)) + "/s";
    }

    private String end() {
        if (now.status().equals("pre-switchover"))
            return "it waits for its operator: migrate-continue lets it end";
        if (pace.isHopeless()) return "none in sight: the guest dirties RAM faster than it goes";
        OptionalDouble left = pace.left(limits.downtime);
        if (left.isPresent())
            return "in about %s, if it goes on like this".formatted(seconds(left));
        OptionalDouble round = pace.leftOfRound();
        if (round.isPresent() && now.rounds() < 2)
            return "not known yet; the first round takes about %s more".formatted(seconds(round));
        return "not known yet";
    }

    private static String seconds(OptionalDouble seconds) {
        return Text.seconds((long) Math.ceil(Math.min(seconds.getAsDouble(), 1e9)));
    }

    /** What helps a migration that does not converge; nothing for one that does. */
    List<String> advice() {
        if (now == null || !pace.isHopeless()) return List.of();
        List<String> advice = new ArrayList<>();
        boolean held = limits.bandwidth > 0 && pace.sent().orElse(0) > 0.7 * limits.bandwidth;
        if (held)
            advice.add(
                    "raise max-bandwidth, which holds it to %s (migrate-set-parameters, as it runs)"
                            .formatted(rate(limits.bandwidth)));
        if (limits.downtime >= 0 && now.expectedDowntime() > limits.downtime)
            advice.add(
                    "raise downtime-limit from %d ms: as it is now the guest would stand still for"
                                    .formatted(limits.downtime)
                            + " %d ms (as it runs, too)".formatted(now.expectedDowntime()));
        if (limits.converges) {
            advice.add("wait: auto-converge slows the guest more and more");
        } else {
            advice.add("cancel it, and begin it again with auto-converge, which slows the guest");
        }
        if (!limits.multifd && !held)
            advice.add("or with multifd, if the network has more to give than one channel takes");
        return advice;
    }
}
