package org.vmferry.cli;

import org.vmferry.cli.watch.Glance;
import org.vmferry.cli.watch.QmpPeer;
import org.vmferry.cli.watch.QmpPeer.Question;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Printable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Follows a migration that somebody else drives. */
@Command(
        name = "watch",
        description = {
            "Follow a running migration over QMP, a QEMU's or that of a host of vmferry's.",
            "It only asks: nothing it sends changes anything.",
        },
        footer = {
            "",
            "Waits for a migration to begin, if none has. A QEMU talks to one at a time on a"
                    + " socket: give it one more (-qmp unix:PATH,server=on,wait=off).",
            "Exit status 0: it completed. 3: it failed. 4: it was cancelled. 1: how it ended is not"
                    + " known.",
            "",
            "Example:",
            "  vmferry watch /run/vm.qmp",
        })
final class WatchCommand extends Action {
    private static final int FAILED = 3;
    private static final int CANCELLED = 4;
    private static final long MOMENT = 100; // ms
    private static final long AGAIN = TimeUnit.MILLISECONDS.toNanos(500);
    private static final int LIMITS_EACH = 10; // glances
    private static final long LINES = TimeUnit.SECONDS.toNanos(5);
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(2);

    @Parameters(
            index = "0",
            paramLabel = "SOCKET",
            description = "The unix socket of a QMP server.")
    private Path socket;

    private final Terminal terminal = Terminal.here();
    private final WatchView view = new WatchView(System.err.charset());
    private Glance last;
    private Glance.End end;
    private Map<?, ?> parameters = Map.of();
    private List<String> advised = List.of();
    private int drawn; // lines
    private long said;

    @Override
    void run() throws Exception {
        try (QmpPeer peer = new QmpPeer(socket)) {
            follow(peer);
        } catch (MigrationException e) {
            throw last == null || !last.hasBegun()
                    ? e
                    : new MigrationException(
                            e.blame(),
                            "%s; the migration was seen last as '%s'"
                                    .formatted(e.getMessage(), last.status()),
                            e);
        } finally {
            erase();
        }
        if (!quiet) out().println(Printable.line(ended()));
    }

    private void follow(QmpPeer peer) throws IOException {
        Question asked = null;
        int turn = 0;
        long begun = System.nanoTime();
        long heard = begun;
        long due = begun;
        while (true) {
            interruption.check();
            long now = System.nanoTime();
            if (asked != null && peer.isFree()) {
                take(asked, peer, now);
                if (end != null) return;
                asked = null;
                heard = now;
            }
            Question next = question(turn);
            if (asked == null && peer.isFree() && (next != Question.MIGRATE || now >= due)) {
                asked = next;
                turn++;
                peer.ask(asked);
                if (asked == Question.MIGRATE) due = now + AGAIN;
            }
            boolean silent = !peer.isFree() && now - heard >= PATIENCE;
            if (silent) await(peer.waitsFor(), now - heard, now);
            else if (last != null && last.hasBegun()) show(now);
            else if (last != null) await("a migration to begin", now - begun, now);
            peer.go(MOMENT);
        }
    }

    private static Question question(int turn) {
        return switch (turn % LIMITS_EACH) {
            case 0 -> Question.PARAMETERS;
            case 1 -> Question.CAPABILITIES;
            default -> Question.MIGRATE;
        };
    }

    private void take(Question asked, QmpPeer peer, long now) throws IOException {
        switch (asked) {
            case PARAMETERS -> parameters = peer.answer() instanceof Map<?, ?> map ? map : Map.of();
            case CAPABILITIES -> {
                List<?> list = peer.answer() instanceof List<?> told ? told : List.of();
                view.limits(
                        new WatchView.Limits(
                                Glance.number(parameters, "downtime-limit"),
                                Glance.number(parameters, "max-bandwidth"),
                                isOn(list, "auto-converge"),
                                isOn(list, "multifd")));
            }
            case MIGRATE -> {
                if (!(peer.answer() instanceof Map<?, ?> told))
                    throw MigrationException.peer(
                            "'%s' does not tell of migrations: %s", socket, peer.refusal());
                last = Glance.of(now, told);
                if (!last.hasBegun()) return;
                view.add(last);
                end = last.end();
            }
        }
    }

    private static boolean isOn(List<?> capabilities, String name) {
        return capabilities.stream()
                .anyMatch(
                        each ->
                                each instanceof Map<?, ?> one
                                        && name.equals(one.get("capability"))
                                        && Boolean.TRUE.equals(one.get("state")));
    }

    private void show(long now) {
        if (quiet) return;
        if (terminal.moves()) {
            int width = terminal.width() - 1;
            List<String> advice = new ArrayList<>();
            for (String each : view.advice())
                advice.addAll(Text.rows("  - " + each, width, "    "));
            draw(view.lines(width), advice);
            return;
        }
        if (!isDue(now)) return;
        remark(view.line());
        if (view.advice().equals(advised)) return;
        advised = view.advice();
        for (String advice : advised) remark("what may help: " + advice);
    }

    private void await(String what, long waited, long now) {
        if (quiet) return;
        String line =
                "waiting for %s, %s"
                        .formatted(what, Text.seconds(TimeUnit.NANOSECONDS.toSeconds(waited)));
        if (terminal.moves()) draw(List.of(line), List.of());
        else if (isDue(now)) remark(line);
    }

    private boolean isDue(long now) {
        if (said != 0 && now - said < LINES) return false;
        said = now;
        return true;
    }

    /** Over what was drawn before. */
    private void draw(List<String> lines, List<String> advice) {
        List<String> rows = new ArrayList<>();
        for (String line : lines) rows.add(cut(line));
        for (String line : advice) rows.add(terminal.second(cut(line)));
        err().print(up() + String.join("\u001b[K\n", rows) + "\u001b[K\u001b[J");
        err().flush();
        drawn = rows.size();
    }

    private String cut(String line) {
        String plain = Printable.line(line);
        return plain.substring(0, Math.min(plain.length(), terminal.width() - 1));
    }

    private String up() {
        return drawn > 1 ? "\u001b[" + (drawn - 1) + "A\r" : "\r";
    }

    private void erase() {
        if (drawn == 0) return;
        err().print(up() + "\u001b[J");
        err().flush();
        drawn = 0;
    }

    private String ended() {
        return switch (end) {
            case CANCELLED -> "the migration was cancelled";
            case FAILED ->
                    "the migration failed" + (last.error().isEmpty() ? "" : ": " + last.error());
            case COMPLETED -> {
                List<String> parts = new ArrayList<>();
                if (last.totalTime() >= 0)
                    parts.add("in %.1f s".formatted(last.totalTime() / 1000.0));
                if (last.rounds() > 0) parts.add(Text.count(last.rounds(), "round"));
                if (last.transferred() >= 0) parts.add(Text.bytes(last.transferred()) + " sent");
                if (last.downtime() >= 0)
                    parts.add("the guest stood still for %d ms".formatted(last.downtime()));
                yield "the migration completed"
                        + (parts.isEmpty() ? "" : ": " + String.join(", ", parts));
            }
        };
    }

    @Override
    int status() {
        return switch (end) {
            case COMPLETED -> super.status();
            case FAILED -> FAILED;
            case CANCELLED -> CANCELLED;
        };
    }
}
