package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.engine.migration.LifeCycle.Fate;
import org.vmferry.engine.migration.LifeCycle.Role;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.util.List;

/** Decisions that the protocol's model does not come by. */
class LifeCycleTest {
    private final Exception trouble = new IllegalStateException("a plug-in");

    @Test
    void noEndIsSentBeforeTheDestinationHasEverything() throws MigrationException {
        LifeCycle source = new LifeCycle(Role.SENDS);
        source.hears();
        assertThatThrownBy(source::commit).isInstanceOf(IllegalStateException.class);
        source.loaded();
        source.commit();
        assertThat(source.owner()).isEqualTo(GuestOwner.UNKNOWN);
    }

    @Test
    void whoHangsInPausingTheGuestSettlesItsFate() throws MigrationException {
        LifeCycle source = new LifeCycle(Role.SENDS);
        source.pausing();
        source.fail(trouble);
        assertThat(source.settle(trouble)).isEmpty();
        source.pauseEnded();
        assertThat(source.settle(trouble).orElseThrow().fate()).isEqualTo(Fate.RESUMES);
        assertThat(source.settle(trouble)).as("a second time").isEmpty();
        assertThatThrownBy(source::pausing).hasMessageContaining("a plug-in");
    }

    /** After a yank a thread may come back from where it hung. */
    @Test
    void whoHasTheGuestIsFinalOnceTheStateIs() throws MigrationException {
        LifeCycle destination = new LifeCycle(Role.RECEIVES);
        destination.enter(MigrationState.SETUP);
        destination.fail(trouble);
        destination.end();
        assertThat(destination.owner()).isEqualTo(GuestOwner.SOURCE);
        destination.ramEnded();
        assertThat(destination.owner()).isEqualTo(GuestOwner.SOURCE);

        LifeCycle unheard = new LifeCycle(Role.RECEIVES);
        unheard.enter(MigrationState.SETUP);
        unheard.ramEnded();
        unheard.fail(trouble);
        unheard.end();
        unheard.hears();
        assertThat(unheard.owner()).isEqualTo(GuestOwner.UNKNOWN);
    }

    @Test
    void aSnapshotThatCanNotBeCompletedIsNone() throws MigrationException {
        LifeCycle source = new LifeCycle(Role.SAVES);
        source.commit();
        assertThat(source.owner()).isEqualTo(GuestOwner.SOURCE);
        assertThat(source.settle(trouble).orElseThrow().fate()).isEqualTo(Fate.RESUMES);
        assertThat(source.owner()).isEqualTo(GuestOwner.SOURCE);
    }

    @Test
    void whatIsLetGoGoesInReverseAndOnce() {
        LifeCycle life = new LifeCycle(Role.RECEIVES);
        Runnable connection = () -> {};
        Runnable word = () -> {};
        life.onFailure(connection);
        life.onFailure(word);
        assertThat(life.fail(trouble)).containsExactly(word, connection);
        assertThat(life.fail(trouble)).isEmpty();
        assertThat(life.onFailure(word)).isFalse();
    }

    @Test
    void nothingIsCompletedThatIsNotDone() {
        LifeCycle life = new LifeCycle(Role.RECEIVES);
        assertThat(life.end()).isTrue();
        assertThat(life.state()).isEqualTo(MigrationState.FAILED);
        assertThat(life.failure()).hasMessageContaining("ended before it was done");
        assertThat(life.end()).isFalse();
    }

    private static LifeCycle committed() throws MigrationException {
        LifeCycle source = new LifeCycle(Role.SENDS);
        source.hears();
        source.loaded();
        source.commit();
        return source;
    }

    private final OutcomeUnknown silence = new OutcomeUnknown("it said nothing", null);
    private final Refused refusal = new Refused("no processor is free");

    /** One whose destination fell silent, and which has failed for that. */
    private LifeCycle listening() throws MigrationException {
        LifeCycle source = committed();
        Runnable connection = () -> {};
        source.onFailure(connection);
        assertThat(source.fallsSilent(silence)).isTrue();
        assertThat(source.fail(silence)).as("let go").isEmpty();
        assertThat(source.settle(silence).orElseThrow())
                .isEqualTo(new LifeCycle.Settled(Fate.GIVEN_UP, List.of()));
        source.end();
        assertThat(source.state()).isEqualTo(MigrationState.FAILED);
        assertThat(source.owner()).isEqualTo(GuestOwner.UNKNOWN);
        assertThat(source.listens()).isTrue();
        return source;
    }

    @Test
    void aLateWordCorrectsTheOwnerOnce() throws MigrationException {
        LifeCycle source = listening();
        assertThat(source.corrected(null)).contains(Fate.GIVEN_UP);
        assertThat(source.owner()).isEqualTo(GuestOwner.DESTINATION);
        assertThat(source.corrected(refusal)).as("a second word").isEmpty();
        assertThat(source.owner()).isEqualTo(GuestOwner.DESTINATION);
        assertThat(source.state()).isEqualTo(MigrationState.FAILED);
        assertThat(source.failure())
                .hasMessageContainingAll("it said nothing", "runs the guest")
                .hasMessageNotContaining("resume it only if");
    }

    @Test
    void aLateRefusalGivesTheGuestBack() throws MigrationException {
        LifeCycle source = listening();
        source.fail(refusal); // so its listener says
        assertThat(source.owner()).isEqualTo(GuestOwner.UNKNOWN);
        assertThat(source.corrected(refusal)).contains(Fate.RESUMES);
        assertThat(source.owner()).isEqualTo(GuestOwner.SOURCE);
        assertThat(source.failure()).hasMessageContainingAll("it said", "no processor is free");
        assertThat(source.failure().getSuppressed()).containsExactly(refusal);
        assertThat(source.corrected(null)).as("a second word").isEmpty();
        assertThat(source.owner()).isEqualTo(GuestOwner.SOURCE);
    }

    @Test
    void afterAnOrderNoWordCounts() throws MigrationException {
        MigrationException order = MigrationException.user("yanked");
        LifeCycle yanked = listening();
        assertThat(yanked.yank(order).releases()).as("its connection").hasSize(1);
        LifeCycle cancelled = listening();
        assertThat(cancelled.cancel()).isEmpty();
        assertThat(cancelled.listenNoMore()).as("its connection").hasSize(1);
        for (LifeCycle source : List.of(yanked, cancelled)) {
            assertThat(source.listens()).isFalse();
            assertThat(source.listenNoMore()).as("a second time").isEmpty();
            assertThat(source.corrected(null)).isEmpty();
            assertThat(source.corrected(refusal)).isEmpty();
            assertThat(source.owner()).isEqualTo(GuestOwner.UNKNOWN);
            assertThat(source.failure()).isSameAs(silence);
        }
    }

    /** Between the silence and the final state. */
    @Test
    void aYankEndsTheListeningBeforeTheEndToo() throws MigrationException {
        LifeCycle source = committed();
        source.onFailure(() -> {});
        assertThat(source.fallsSilent(silence)).isTrue();
        assertThat(source.yank(MigrationException.user("yanked")).releases()).hasSize(1);
        assertThat(source.listens()).isFalse();
    }

    @Test
    void aRefusalThatComesBeforeTheGuestsFateSettlesIt() throws MigrationException {
        LifeCycle source = committed();
        assertThat(source.fallsSilent(silence)).isTrue();
        source.fail(refusal);
        assertThat(source.settle(silence).orElseThrow().fate()).isEqualTo(Fate.RESUMES);
        assertThat(source.owner()).isEqualTo(GuestOwner.SOURCE);
        assertThat(source.corrected(refusal)).as("a second resume").isEmpty();
        assertThat(source.failure()).isSameAs(refusal);
    }

    @Test
    void onlyASilentDestinationIsListenedFor() throws MigrationException {
        LifeCycle early = new LifeCycle(Role.SENDS);
        early.hears();
        assertThat(early.fallsSilent(silence)).as("before the end").isFalse();
        LifeCycle lost = committed();
        lost.fail(new OutcomeUnknown(trouble));
        assertThat(lost.fallsSilent(silence)).as("its link is lost").isFalse();
        LifeCycle done = committed();
        done.delivered();
        assertThat(done.fallsSilent(silence)).as("it is done").isFalse();
        LifeCycle cut = committed();
        cut.yank(MigrationException.user("yanked"));
        assertThat(cut.fallsSilent(silence)).as("it is being cut").isFalse();
        LifeCycle mute = new LifeCycle(Role.SENDS);
        mute.commit();
        assertThat(mute.fallsSilent(silence)).as("no return path").isFalse();
        for (LifeCycle none : List.of(early, lost, done, cut, mute)) {
            assertThat(none.listens()).isFalse();
            assertThat(none.corrected(null)).isEmpty();
        }
    }

    @Test
    void whatFailsAfterTheEndIsToldBesideTheOutcome() throws MigrationException {
        LifeCycle source = new LifeCycle(Role.SENDS);
        source.hears();
        source.loaded();
        source.commit();
        assertThat(source.fail(trouble)).isEmpty();
        assertThat(source.failure()).isNull();
        source.fail(new OutcomeUnknown(trouble));
        assertThat(List.of(source.failure().getSuppressed()))
                .singleElement()
                .satisfies(beside -> assertThat(beside).hasMessageContaining("a plug-in"));
        assertThat(source.settle(trouble).orElseThrow().fate()).isEqualTo(Fate.GIVEN_UP);
    }

    /** Who is at fault is no other for the moment at which it showed. */
    @ParameterizedTest
    @EnumSource
    void anUnknownOutcomeBlamesWhoIsAtFault(Blame fault) {
        MigrationException why = new MigrationException(fault, "codec 'x' threw in compress");
        OutcomeUnknown unknown = new OutcomeUnknown(why);
        if (fault == Blame.HOST || fault == Blame.PLUGIN) {
            assertThat(unknown.blame()).isEqualTo(fault);
            assertThat(unknown).hasMessageStartingWith("codec 'x' threw in compress, when ");
        } else {
            assertThat(unknown.blame()).isEqualTo(Blame.TRANSPORT);
            assertThat(unknown).hasMessageStartingWith("the link was lost when ");
        }
        assertThat(unknown).hasCause(why).hasMessageContaining("stays paused here");
    }
}
