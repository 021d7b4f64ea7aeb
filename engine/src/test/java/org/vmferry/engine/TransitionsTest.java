package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmferry.engine.report.MigrationState;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

class TransitionsTest {
    private final Transitions transitions = new Transitions("send-1");
    private final List<String> heard = Collections.synchronizedList(new ArrayList<>());

    private MigrationListener named(String name) {
        return state -> heard.add(name + " " + state);
    }

    private void come(MigrationState state) {
        transitions.note(state);
        transitions.tell();
    }

    @Test
    void aLateListenerHearsWhatWasBefore() {
        transitions.add(named("early"));
        come(MigrationState.SETUP);
        come(MigrationState.ACTIVE);
        transitions.add(named("late"));
        come(MigrationState.FAILED);
        assertThat(heard)
                .containsExactly(
                        "early SETUP",
                        "early ACTIVE",
                        "late SETUP",
                        "late ACTIVE",
                        "early FAILED",
                        "late FAILED");
    }

    @Test
    void roundsComeBetweenTheStates() {
        transitions.add(rounds("early"));
        come(MigrationState.SETUP);
        for (long round = 1; round <= 3; round++) {
            transitions.note(round);
            if (round == 1) transitions.note(MigrationState.ACTIVE);
        }
        transitions.tell();
        assertThat(heard)
                .containsExactly("early SETUP", "early 1", "early ACTIVE", "early 2", "early 3");
        heard.clear();
        transitions.add(rounds("late"));
        assertThat(heard).containsExactly("late SETUP", "late 1", "late ACTIVE", "late 3");
    }

    private MigrationListener rounds(String name) {
        return new MigrationListener() {
            @Override
            public void entered(MigrationState state) {
                heard.add(name + " " + state);
            }

            @Override
            public void round(long number) {
                heard.add(name + " " + number);
            }
        };
    }

    @Test
    void aListenerThatThrowsIsToldTheNextAllTheSame() {
        transitions.add(
                state -> {
                    heard.add("buggy " + state);
                    throw new IllegalStateException("bug");
                });
        come(MigrationState.SETUP);
        come(MigrationState.FAILED);
        assertThat(heard).containsExactly("buggy SETUP", "buggy FAILED");
    }

    @Test
    void aListenerThatCausesATransitionHearsItAfterwards() {
        transitions.add(
                state -> {
                    if (state == MigrationState.SETUP) come(MigrationState.CANCELLING);
                    heard.add("cancelling " + state);
                });
        come(MigrationState.SETUP);
        assertThat(heard).containsExactly("cancelling SETUP", "cancelling CANCELLING");
    }

    @Test
    void nobodyWaitsForAListenerThatIsSlow() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        transitions.add(
                state -> {
                    heard.add("slow " + state);
                    inside.countDown();
                    try {
                        assertThat(leave.await(20, TimeUnit.SECONDS)).isTrue();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                });
        Thread first = new Thread(() -> come(MigrationState.SETUP));
        first.start();
        assertThat(inside.await(20, TimeUnit.SECONDS)).isTrue();
        come(MigrationState.ACTIVE); // returns, though the listener has not
        leave.countDown();
        first.join();
        assertThat(heard).containsExactly("slow SETUP", "slow ACTIVE");
    }
}
