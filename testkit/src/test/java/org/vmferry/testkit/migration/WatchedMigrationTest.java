package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.Statistics;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.DowntimePart;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToLongFunction;

/** What a live migration tells of itself: its statistics at any moment, and the flight recorder. */
class WatchedMigrationTest {
    private static final Settings LIVE =
            Settings.NONE
                    .parameter("max-bandwidth", "33554432")
                    // Two rounds at least; it is willing to stop for what is dirty then.
                    .parameter("avail-switchover-bandwidth", "524288")
                    .parameter("downtime-limit", "2000")
                    .capability("auto-converge")
                    .parameter("cpu-throttle-initial", "99");

    @TempDir Path folder;
    private final Engine engine = Engine.create();

    private static ReferenceMachineBuilder small() {
        return ReferenceMachine.builder().ram(4 << 20).dirtyWindow(900).dirtyEvery(1000).pace(100);
    }

    private static Settings settings(String codec) {
        return codec.isEmpty()
                ? LIVE
                : LIVE.capability("multifd").parameter("multifd-compression", codec);
    }

    /** Both ends of a migration over TCP that is over. */
    private record Ends(Watched source, Watched destination) {}

    private Ends migrate(Settings settings) throws Exception {
        try (ReferenceMachine source = PatientDirtyLog.machine(small(), log -> log, 2, 2_000_000);
                ReferenceMachine destination = small().build()) {
            source.runFor(1_000_000);
            source.enter(RunState.RUNNING);
            Watched in = new Watched(engine.receive(destination, "tcp:127.0.0.1:0", settings));
            Watched out =
                    new Watched(
                            engine.send(
                                    new LingeringMachine(source, 2_500_000),
                                    in.migration.address().toString(),
                                    settings));
            out.end();
            in.end();
            return new Ends(out, in);
        }
    }

    /** A migration whose statistics another thread asks for all the time. */
    private static final class Watched {
        final Migration migration;
        final List<Statistics> samples = new ArrayList<>();
        private final CompletableFuture<Void> watch;

        Watched(Migration migration) {
            this.migration = migration;
            watch = CompletableFuture.runAsync(this::watch, task -> new Thread(task).start());
        }

        private void watch() {
            for (boolean over = false; !over; ) {
                over = migration.state().isFinal();
                Statistics now = migration.statistics();
                if (over || samples.isEmpty() || !now.equals(samples.getLast())) samples.add(now);
                Thread.onSpinWait();
            }
        }

        void end() throws Exception {
            migration.await();
            watch.join();
        }

        Statistics last() {
            return migration.statistics();
        }

        void check() {
            Statistics before = samples.getFirst();
            for (Statistics now : samples) {
                assertThat(now.precopyBytes() + now.downtimeBytes()).isEqualTo(now.transferred());
                assertThat(now.channelBytes()).isLessThanOrEqualTo(now.transferred());
                assertThat(now.remaining()).isBetween(0L, now.total());
                assertThat(now.setupTime()).isLessThanOrEqualTo(now.totalTime());
                assertThat(now.downtime()).isLessThanOrEqualTo(now.totalTime());
                for (ToLongFunction<Statistics> each : growing()) {
                    assertThat(each.applyAsLong(now))
                            .as("%s, after %s", now, before)
                            .isGreaterThanOrEqualTo(each.applyAsLong(before));
                }
                before = now;
            }
            assertThat(before).as("from the final state on").isEqualTo(last());
            assertThat(samples.size()).as("seen on its way").isGreaterThan(2);
        }

        private static List<ToLongFunction<Statistics>> growing() {
            return List.of(
                    Statistics::transferred,
                    Statistics::channelBytes,
                    Statistics::precopyBytes,
                    Statistics::downtimeBytes,
                    Statistics::normal,
                    Statistics::normalBytes,
                    Statistics::duplicate,
                    Statistics::dirtySyncCount,
                    Statistics::totalTime,
                    Statistics::downtime);
        }
    }

    @ParameterizedTest
    @CsvSource({"''", "none", "zstd"})
    void statisticsAreTrueAtAnyMoment(String codec) throws Exception {
        Ends ends = migrate(settings(codec));
        ends.source.check();
        ends.destination.check();
        Statistics out = ends.source.last();
        Statistics in = ends.destination.last();
        assertThat(out.total()).isEqualTo((4 << 20) + (128 << 10)).isEqualTo(in.total());
        assertThat(out.remaining()).isZero();
        assertThat(out.transferred()).isEqualTo(in.transferred());
        assertThat(out.normal()).isEqualTo(in.normal());
        assertThat(out.duplicate()).isEqualTo(in.duplicate());
        assertThat(out.pageSize()).isEqualTo(4096).isEqualTo(in.pageSize());
        assertThat(out.precopyBytes()).isPositive();
        assertThat(out.downtimeBytes()).isPositive();
        assertThat(out.downtime()).isPositive();
        assertThat(in.downtimeBytes()).isZero();
        assertThat(out.dirtySyncCount()).isGreaterThan(2);
        assertThat(out.channelBytes() > 0).isEqualTo(!codec.isEmpty());
        assertThat(out.channelBytes()).isEqualTo(in.channelBytes());
        assertThat(out.mbps()).isEqualTo(out.transferred() * 8 / 1000.0 / out.totalTime());
        assertThat(out.pagesPerSecond())
                .isEqualTo((out.normal() + out.duplicate()) * 1000 / out.totalTime());
        if (codec.equals("zstd")) return;
        assertThat(out.transferred()).isGreaterThan(out.normalBytes());
        // Most of the window was written to before the guest stood still.
        assertThat(out.downtimeBytes()).isGreaterThan(700 * 4096);
    }

    @Test
    void theFlightRecorderHasItsRoundsAndChannels() throws Exception {
        try (Recording recording = new Recording()) {
            recording.enable("vmferry.Migration");
            recording.enable("vmferry.Round");
            recording.enable("vmferry.Channel");
            recording.start();
            Ends ends = migrate(settings("none"));
            recording.stop();
            List<RecordedEvent> events = events(recording);
            Statistics out = checkMigration(events, ends.source.migration, "send");
            checkMigration(events, ends.destination.migration, "receive");
            checkChannels(events, ends.source.migration);
            checkChannels(events, ends.destination.migration);

            List<RecordedEvent> rounds = named(events, "vmferry.Round", ends.source.migration);
            assertThat(rounds).hasSize((int) out.dirtySyncCount());
            long ram = 0;
            for (int i = 0; i < rounds.size(); i++) {
                RecordedEvent round = rounds.get(i);
                assertThat(round.getLong("round")).isEqualTo(i + 1);
                assertThat(round.getBoolean("last")).isEqualTo(i == rounds.size() - 1);
                assertThat(round.getDuration()).isPositive();
                ram += round.getLong("bytes");
            }
            assertThat(rounds.getFirst().getLong("bytes")).isEqualTo(out.total());
            assertThat(ram).isEqualTo((out.normal() + out.duplicate()) * 4096);
            assertThat(rounds.get(1).getLong("bytes"))
                    .isEqualTo(rounds.getFirst().getLong("dirtyPages") * 4096);
            assertThat(rounds.get(1).getLong("dirtyPages")).isGreaterThan(600);
            assertThat(rounds.get(1).getLong("dirtyPagesRate")).isPositive();
            assertThat(rounds.get(1).getDuration("expectedDowntime")).isPositive();
            assertThat(rounds.get(1).getDouble("throttle")).isZero();
            assertThat(rounds.get(2).getDouble("throttle")).isEqualTo(0.99);
            assertThat(named(events, "vmferry.Round", ends.destination.migration)).isEmpty();
        }
    }

    @Test
    void theFlightRecorderHasTheReasonOfAFailure() throws Exception {
        try (Recording recording = new Recording();
                ReferenceMachine machine = small().build()) {
            recording.enable("vmferry.Migration");
            recording.start();
            Path nowhere = folder.resolve("nowhere");
            Migration migration = engine.send(machine, "unix:" + nowhere, LIVE);
            assertThatThrownBy(migration::await).isInstanceOf(MigrationException.class);
            recording.stop();
            RecordedEvent event =
                    named(events(recording), "vmferry.Migration", migration).getFirst();
            assertThat(event.getString("state")).isEqualTo("failed");
            assertThat(event.getString("address")).isEqualTo("unix:" + nowhere);
            assertThat(event.getString("reason")).contains("nowhere");
        }
    }

    private List<RecordedEvent> events(Recording recording) throws IOException {
        Path file = folder.resolve("recording.jfr");
        recording.dump(file);
        return RecordingFile.readAllEvents(file);
    }

    private static List<RecordedEvent> named(
            List<RecordedEvent> events, String type, Migration migration) {
        return events.stream()
                .filter(event -> event.getEventType().getName().equals(type))
                .filter(event -> event.getString("migration").equals(migration.name()))
                .sorted((one, other) -> one.getEndTime().compareTo(other.getEndTime()))
                .toList();
    }

    private static Statistics checkMigration(
            List<RecordedEvent> events, Migration migration, String direction) {
        Statistics statistics = migration.statistics();
        List<RecordedEvent> found = named(events, "vmferry.Migration", migration);
        assertThat(found).hasSize(1);
        RecordedEvent event = found.getFirst();
        assertThat(event.getString("direction")).isEqualTo(direction);
        assertThat(event.getString("address")).isEqualTo(migration.address().toString());
        assertThat(event.getString("state")).isEqualTo("completed");
        assertThat(event.getString("reason")).isNull();
        assertThat(event.getLong("bytes")).isEqualTo(statistics.transferred());
        assertThat(event.getLong("rounds")).isEqualTo(statistics.dirtySyncCount());
        assertThat(event.getDuration("downtime"))
                .isEqualTo(Duration.ofMillis(statistics.downtime()));
        statistics
                .downtimeParts()
                .forEach(
                        (part, ms) ->
                                assertThat(event.getDuration(FIELDS.get(part)))
                                        .as(part.words())
                                        .isEqualTo(Duration.ofMillis(ms)));
        boolean sends = direction.equals("send");
        for (String part : List.of("stop", "drain", "deviceSave"))
            assertThat(isKnown(event, part)).as(part).isEqualTo(sends);
        for (String part : List.of("deviceLoad", "start"))
            assertThat(isKnown(event, part))
                    .as("%s, without a return path", part)
                    .isNotEqualTo(sends);
        for (String part : List.of("wait", "link"))
            assertThat(isKnown(event, part)).as(part).isFalse();
        assertThat(event.getDuration()).isGreaterThan(Duration.ofMillis(statistics.downtime()));
        return statistics;
    }

    private static final Map<DowntimePart, String> FIELDS =
            Map.of(
                    DowntimePart.STOP, "stop",
                    DowntimePart.WAIT, "wait",
                    DowntimePart.DRAIN, "drain",
                    DowntimePart.DEVICE_SAVE, "deviceSave",
                    DowntimePart.LINK, "link",
                    DowntimePart.DEVICE_LOAD, "deviceLoad",
                    DowntimePart.START, "start");

    private static boolean isKnown(RecordedEvent event, String part) {
        return event.getLong(part) != Long.MIN_VALUE;
    }

    private static void checkChannels(List<RecordedEvent> events, Migration migration) {
        List<RecordedEvent> channels = named(events, "vmferry.Channel", migration);
        assertThat(channels)
                .extracting(event -> event.getInt("channel"))
                .containsExactlyInAnyOrder(0, 1);
        assertThat(channels).allMatch(event -> event.getString("peer").contains("127.0.0.1"));
        Statistics statistics = migration.statistics();
        assertThat(sum(channels, "bytes")).isEqualTo(statistics.channelBytes());
        assertThat(sum(channels, "normalPages")).isEqualTo(statistics.normal());
        assertThat(sum(channels, "zeroPages")).isEqualTo(statistics.duplicate());
    }

    private static long sum(List<RecordedEvent> events, String field) {
        return events.stream().mapToLong(event -> event.getLong(field)).sum();
    }
}
