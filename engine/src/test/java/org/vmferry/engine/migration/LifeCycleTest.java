package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.vmferry.engine.GuestOwner;
import org.vmferry.engine.MigrationState;
import org.vmferry.engine.migration.LifeCycle.Fate;
import org.vmferry.engine.migration.LifeCycle.Role;
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
}
