package org.vmferry.it.ownership;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The table of docs/ownership.md, by force: a live migration with a return path, source and
 * destination in a process each, of which one is killed with -9: what the other does, and that the
 * guest never runs in both.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class KillTest {
    private static final long SEED = 5;

    /** Bytes of SHUT: then the source knows how it went. */
    private static final int SHUT = 8;

    /** Which moment is meant. */
    private enum When {
        /** So much of the time that a migration takes once it is connected. */
        TIME,
        /** The same, with multifd. */
        TIME_MULTIFD,
        /** After the source's guest was paused. */
        PAUSED,
        /** When so many bytes have gone forth, of those that a migration sends. */
        FORTH,
        /** When so many bytes of SHUT have come back. */
        BACK
    }

    /** A cell of the table of who owns the guest, as it is seen afterwards. */
    private enum Cell {
        /**
         * OWN-1: the destination was killed while the guest ran at the source: it runs on there.
         */
        RAN_ON,
        /** OWN-2: the destination was killed while the guest was paused: it is resumed. */
        RESUMED,
        /** OWN-3, OWN-6: the destination was killed before SHUT: paused, a person decides. */
        UNKNOWN,
        /** OWN-7: the destination was killed after SHUT 0: the guest was its own. */
        HANDED_OVER,
        /** OWN-9: the source was killed before the destination had everything: it never starts. */
        LOST,
        /**
         * OWN-9: the source was killed when the destination had everything: the guest runs there.
         */
        TAKEN_OVER
    }

    /**
     * Who is killed, and when.
     *
     * @param part of the time or of the bytes, 0 to 1
     */
    record Scenario(int number, boolean killsSource, When when, double part) {
        /** How many bytes of SHUT come back: at least one, at the most all of it. */
        long answers() {
            return 1 + (long) (part * SHUT);
        }
    }

    private final Map<Cell, Integer> seen = Collections.synchronizedMap(new EnumMap<>(Cell.class));
    private long usualNanos;
    private long usualBytes;

    /** How long a migration takes here and now, and how much it sends. */
    @BeforeAll
    void measure() throws Exception {
        try (Witness destination = new Witness("destination", false);
                Witness source = new Witness("source", false);
                Tripwire link =
                        new Tripwire(
                                destination.await("address").orElseThrow(),
                                false,
                                Long.MAX_VALUE)) {
            source.await("runs");
            source.tell(link.address());
            assertThat(source.await("over")).contains("completed DESTINATION");
            usualNanos = System.nanoTime() - source.times("active").getFirst();
            assertThat(destination.await("over")).contains("completed DESTINATION");
            assertOneAfterTheOther(source, destination);
            source.kill(); // the link ends with it
            usualBytes = link.forth();
        }
    }

    @AfterAll
    void tell() {
        System.out.println("KillTest: " + seen);
    }

    static Stream<Scenario> some() {
        return scenarios(3);
    }

    static Stream<Scenario> hundred() {
        return scenarios(100);
    }

    private static Stream<Scenario> scenarios(int count) {
        var random = new SplittableRandom(SEED);
        When[] all = When.values();
        return IntStream.range(0, count)
                .mapToObj(
                        i ->
                                new Scenario(
                                        i,
                                        i / all.length % 2 == 0,
                                        all[i % all.length],
                                        random.nextDouble()));
    }

    @ParameterizedTest
    @MethodSource("some")
    @Tag("OWN-1")
    @Tag("OWN-2")
    @Tag("OWN-3")
    @Tag("OWN-6")
    @Tag("OWN-7")
    @Tag("OWN-9")
    @Tag("RPT-4")
    void theGuestRunsInOneProcessAtMost(Scenario scenario) throws Exception {
        boolean multifd = scenario.when == When.TIME_MULTIFD;
        try (Witness destination = new Witness("destination", multifd);
                Witness source = new Witness("source", multifd)) {
            String address = destination.await("address").orElseThrow();
            source.await("runs");
            Witness victim = scenario.killsSource ? source : destination;
            switch (scenario.when) {
                case FORTH -> {
                    long bytes = (long) (scenario.part * 1.1 * usualBytes);
                    killAt(new Tripwire(address, false, bytes), source, victim);
                }
                case BACK ->
                        killAt(new Tripwire(address, true, scenario.answers()), source, victim);
                case PAUSED -> {
                    source.tell(address);
                    source.await("stands");
                    pass((long) (scenario.part * usualNanos / 20));
                    victim.kill();
                }
                default -> {
                    source.tell(address);
                    source.await("active");
                    pass((long) (scenario.part * 1.1 * usualNanos));
                    victim.kill();
                }
            }
            Cell cell =
                    scenario.killsSource
                            ? sourceGone(source, destination)
                            : destinationGone(source, destination);
            seen.merge(cell, 1, Integer::sum);
            // That the answer is on its way says that the destination has everything.
            if (scenario.when == When.BACK && scenario.killsSource)
                assertThat(cell).isEqualTo(Cell.TAKEN_OVER);
            else if (scenario.when == When.BACK)
                assertThat(cell)
                        .isEqualTo(scenario.answers() < SHUT ? Cell.UNKNOWN : Cell.HANDED_OVER);
        } catch (AssertionError e) {
            throw new AssertionError(scenario + ": " + e.getMessage(), e);
        }
    }

    @ParameterizedTest
    @MethodSource("hundred")
    @Tag("stress")
    void theGuestRunsInOneProcessAtMostAHundredTimes(Scenario scenario) throws Exception {
        theGuestRunsInOneProcessAtMost(scenario);
    }

    /** Lets time go by: the moment is any. */
    private static void pass(long nanos) {
        long until = System.nanoTime() + nanos;
        for (long rest = nanos; rest > 0; rest = until - System.nanoTime())
            LockSupport.parkNanos(rest);
    }

    /** Kills when the link has passed its bytes, or the migration is over without. */
    private static void killAt(Tripwire tripwire, Witness source, Witness victim) throws Exception {
        try (Tripwire link = tripwire) {
            source.tell(link.address());
            while (source.find("over").isEmpty()
                    && !link.reached.await(5, TimeUnit.MILLISECONDS)) {}
            victim.kill();
        }
    }

    private Cell destinationGone(Witness source, Witness destination) throws Exception {
        String over = source.await("over").orElseThrow(() -> new AssertionError("source: died"));
        boolean ranThere = !destination.times("runs").isEmpty();
        String both = "source " + source + ", destination " + destination;
        if (over.equals("completed DESTINATION")) {
            assertThat(ranThere).as(both).isTrue();
            assertOneAfterTheOther(source, destination);
            assertThat(stateOf(source)).as(both).isEqualTo("postmigrate");
            return Cell.HANDED_OVER;
        }
        if (over.startsWith("failed UNKNOWN ")) {
            if (ranThere) assertOneAfterTheOther(source, destination);
            assertThat(stateOf(source)).as(both).isEqualTo("postmigrate");
            return Cell.UNKNOWN;
        }
        assertThat(over).as(both).startsWith("failed SOURCE ");
        assertThat(ranThere).as(both).isFalse();
        assertThat(stateOf(source)).as(both).isEqualTo("running");
        assertWhole(source);
        return source.times("runs").size() == 1 ? Cell.RAN_ON : Cell.RESUMED;
    }

    private Cell sourceGone(Witness source, Witness destination) throws Exception {
        String over =
                destination.await("over").orElseThrow(() -> new AssertionError("destination died"));
        String both = "source " + source + ", destination " + destination;
        if (over.startsWith("failed SOURCE ")) {
            assertThat(destination.times("runs")).as(both).isEmpty();
            assertThat(stateOf(destination)).as(both).isNotEqualTo("running");
            return Cell.LOST;
        }
        assertThat(over).as(both).isEqualTo("completed DESTINATION");
        assertOneAfterTheOther(source, destination);
        assertThat(stateOf(destination)).as(both).isEqualTo("running");
        assertWhole(destination);
        return Cell.TAKEN_OVER;
    }

    /** The guest had stopped at the source for good before it ran at the destination. */
    private static void assertOneAfterTheOther(Witness source, Witness destination) {
        String both = "source " + source + ", destination " + destination;
        assertThat(source.times("runs")).as(both).hasSize(1);
        assertThat(source.times("stands")).as(both).isNotEmpty();
        assertThat(destination.times("runs")).as(both).hasSize(1);
        assertThat(source.times("stands").getFirst())
                .as(both)
                .isLessThan(destination.times("runs").getFirst());
    }

    private static String stateOf(Witness survivor) throws Exception {
        survivor.tell("state?");
        return survivor.await("state").orElseThrow();
    }

    /** The survivor's guest is what a twin is that nothing happened to. */
    private static void assertWhole(Witness survivor) throws Exception {
        String digest = survivor.await("digest").orElseThrow();
        long instructions = Long.parseLong(digest.substring(0, digest.indexOf(' ')));
        try (ReferenceMachine twin = Party.machine()) {
            twin.runFor(instructions);
            assertThat(digest).isEqualTo(instructions + " " + new TreeMap<>(twin.digest().parts()));
        }
    }
}
