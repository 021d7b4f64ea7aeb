package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.vmferry.engine.migration.LifeCycle.Role;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.option.Options;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** How long a late word is listened for. */
class LateWordTest {
    private final TestMachine machine = new TestMachine(RunState.RUNNING, TestMachine.heap(64, 3));

    /** A host that lives answers for a process that hangs: its connection never breaks. */
    @Test
    @Timeout(value = 20, threadMode = ThreadMode.SEPARATE_THREAD)
    void aPeerThatHangsIsNotListenedForForEver() throws Exception {
        hearsNothing(50, () -> {});
        assertThat(machine.state).isEqualTo(RunState.POSTMIGRATE);
    }

    /** Somebody has resumed it, or loaded another guest: no word counts any more. */
    @Test
    @Timeout(value = 20, threadMode = ThreadMode.SEPARATE_THREAD)
    void aGuestThatWasTakenElsewhereIsNotListenedFor() throws Exception {
        hearsNothing(3_600_000, () -> machine.state = RunState.PAUSED);
        assertThat(machine.state).isEqualTo(RunState.PAUSED);
    }

    /**
     * A word is awaited from a peer who says none.
     *
     * @param most ms
     * @param meanwhile what happens once it is kept
     */
    private void hearsNothing(long most, Runnable meanwhile) throws Exception {
        PipeEnd[] ends = PipeEnd.two();
        PipeEnd[] outgoing = PipeEnd.two(); // no channel of it: each is closed by itself
        MigrationSession session =
                MigrationSession.ofRehearsal(Role.SENDS, "send-late", Options.DEFAULTS);
        LifeCycle life = session.life();
        MachineUse use = MachineUse.toSend(machine, "send-late");
        SourceGuest guest = new SourceGuest(machine, life);
        OutcomeUnknown why = new OutcomeUnknown("it said nothing", null);
        CountDownLatch letGo = new CountDownLatch(1);
        session.onFailure(letGo::countDown);
        try (PipeEnd peer = ends[1];
                PipeEnd _ = outgoing[1];
                LateWord late = new LateWord(session, guest, outgoing[0], most)) {
            life.enter(MigrationState.SETUP);
            try (AnswerListener answer =
                    new AnswerListener(ends[0], session, new Silence(session))) {
                guest.pause();
                life.loaded();
                life.commit();
                assertThat(late.keep(answer, why)).isTrue();
            }
            life.settle(why);
            guest.giveUp("send-late");
            use.yield();
            life.end();
            late.close();
            assertThat(ends[0].isOpen()).as("kept").isTrue();
            assertThat(outgoing[0].isOpen()).as("kept").isTrue();
            meanwhile.run();
            late.hear(use, owner -> assertThat(owner).as("corrected").isNull());
            assertThat(ends[0].isOpen()).isFalse();
            assertThat(outgoing[0].isOpen()).isFalse();
            assertThat(peer.isOpen()).isTrue();
        }
        assertThat(letGo.await(30, TimeUnit.SECONDS)).as("what the word would need").isTrue();
        assertThat(life.listens()).isFalse();
        assertThat(life.owner()).isEqualTo(GuestOwner.UNKNOWN);
        assertThat(use.isOver()).isTrue();
    }

    @Test
    void aMachineThatIsYieldedIsTakenForGood() throws Exception {
        MachineUse first = MachineUse.toSend(machine, "send-1");
        first.yield();
        assertThat(MachineUse.isUsed(machine)).isFalse();
        MachineUse second = MachineUse.toSend(machine, "send-2");
        assertThat(first.isOver()).isTrue();
        second.end();
        assertThat(first.resume()).as("it was used meanwhile").isFalse();

        MachineUse third = MachineUse.toSend(machine, "send-3");
        third.yield();
        assertThat(MachineUse.take(machine)).isTrue(); // by hand
        assertThat(third.resume()).isFalse();

        MachineUse fourth = MachineUse.toSend(machine, "send-4");
        fourth.yield();
        assertThat(fourth.resume()).isTrue();
        assertThat(MachineUse.take(machine)).as("it is resumed just now").isFalse();
        assertThat(MachineUse.isUsed(machine)).isTrue();
        fourth.end();
        assertThat(MachineUse.take(machine)).isTrue();
        assertThat(MachineUse.isUsed(machine)).isFalse();
    }
}
