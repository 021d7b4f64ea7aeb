package org.vmferry.it.leak;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.Held;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

import java.io.IOException;

/** Migrations from us to us over sockets: one after another, and side by side. */
class LeakTest {
    private final Engine engine = Engine.create();

    private static ReferenceMachineBuilder small() {
        return ReferenceMachine.builder()
                .ram(4 << 20)
                .dirtyWindow(200)
                .dirtyEvery(5000)
                .printEvery(100_000);
    }

    private static Settings multifd(int channels, String compression) {
        return Settings.NONE
                .capability("multifd")
                .parameter("multifd-channels", "" + channels)
                .parameter("multifd-compression", compression);
    }

    /** Begins one. */
    private record Ferry(Migration incoming, Migration outgoing) {
        static Ferry start(
                Engine engine, ReferenceMachine from, ReferenceMachine to, Settings settings)
                throws IOException {
            Migration incoming = engine.receive(to, "tcp:127.0.0.1:0", settings);
            return new Ferry(incoming, engine.send(from, incoming.address().toString(), settings));
        }

        void await() throws IOException, InterruptedException {
            outgoing.await();
            incoming.await();
        }
    }

    @Test
    @Tag("MFD-22")
    void aGuestMovesManyTimesAndNothingIsLeft() throws Exception {
        moves(40, 60);
    }

    @Test
    @Tag("stress")
    void aGuestMovesAHundredTimesAndNothingIsLeft() throws Exception {
        moves(100, 90);
    }

    /** The memory of a machine, of its channels or of their codecs from each would be more. */
    private void moves(int times, int mib) throws Exception {
        Settings settings = multifd(4, "zstd");
        StringBuilder output = new StringBuilder();
        ReferenceMachine machine = small().build();
        Held before = Held.now(); // what looking costs, it has cost
        machine.enter(RunState.RUNNING);
        for (int i = 0; i < times; i++) {
            ReferenceMachine next = small().build();
            try (ReferenceMachine left = machine) {
                Ferry.start(engine, left, next, settings).await();
                output.append(left.output());
            }
            machine = next;
            assertThat(next.runState()).as("after migration %d", i).isEqualTo(RunState.RUNNING);
            if (i == 9) before = Held.now(); // whatever is loaded once is loaded
        }
        Held after = Held.now();
        try (ReferenceMachine last = machine;
                ReferenceMachine twin = small().build()) {
            last.enter(RunState.PAUSED);
            twin.runFor(last.instructions());
            assertThat(last.digest()).isEqualTo(twin.digest());
            assertThat(output.append(last.output())).asString().isEqualTo(twin.output());
        }
        Leftovers.assertNoThreadsAtAll();
        after.assertNoMoreThan(before, mib << 10);
    }

    @Test
    @Tag("MFD-22")
    void twoAtOnceDoNotKnowOfEachOther() throws Exception {
        try (ReferenceMachine one = small().build();
                ReferenceMachine other = small().dirtyWindow(50).build();
                ReferenceMachine oneThere = small().build();
                ReferenceMachine otherThere = small().dirtyWindow(50).build();
                ReferenceMachine oneTwin = small().build();
                ReferenceMachine otherTwin = small().dirtyWindow(50).build()) {
            one.enter(RunState.RUNNING);
            other.enter(RunState.RUNNING);
            Settings slow = multifd(2, "zlib").parameter("multifd-zlib-level", "9");
            Ferry first = Ferry.start(engine, one, oneThere, slow);
            Ferry second = Ferry.start(engine, other, otherThere, multifd(8, "none"));
            second.await();
            first.await();
            assertSame(oneThere, oneTwin);
            assertSame(otherThere, otherTwin);
        }
        Leftovers.assertNoThreadsAtAll();
    }

    private static void assertSame(ReferenceMachine arrived, ReferenceMachine twin) {
        assertThat(arrived.runState()).isEqualTo(RunState.RUNNING);
        arrived.enter(RunState.PAUSED);
        twin.runFor(arrived.instructions());
        assertThat(arrived.digest()).isEqualTo(twin.digest());
    }
}
