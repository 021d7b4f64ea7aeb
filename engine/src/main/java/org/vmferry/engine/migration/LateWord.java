package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.migration.LifeCycle.Fate;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.transport.Opener;

import java.util.Optional;
import java.util.function.Consumer;

/**
 * A destination's word that comes after its source has given up waiting: the source's end stays
 * open for it, and who has the guest is corrected by it. It is listened for as long as the guest
 * stands where it was left, nobody else uses its machine, and the connection lives; for a day at
 * the most, as a peer that hangs keeps its connection alive.
 */
final class LateWord implements AutoCloseable {
    private static final Logger LOG = Log.of(LateWord.class);
    private static final long MOST_MS = 24 * 3_600_000L;
    private static final long LOOK_MS = 1000;

    private final MigrationSession session;
    private final LifeCycle life;
    private final SourceGuest guest;
    private final Opener end;
    private final long most;
    private AnswerListener listener; // once it is kept

    /** None is awaited yet. */
    LateWord(MigrationSession session, SourceGuest guest, Opener end) {
        this(session, guest, end, MOST_MS);
    }

    /** One that is listened for so many ms at the most. */
    LateWord(MigrationSession session, SourceGuest guest, Opener end, long most) {
        this.session = session;
        this.life = session.life();
        this.guest = guest;
        this.end = end;
        this.most = most;
    }

    /**
     * The destination has fallen silent: the migration fails, and this keeps what it may still be
     * heard by.
     *
     * @return false if it is not listened for
     */
    boolean keep(AnswerListener answer, OutcomeUnknown why) {
        if (!life.fallsSilent(why)) return false;
        answer.keep();
        listener = answer;
        return true;
    }

    boolean isKept() {
        return listener != null;
    }

    /** Closes the source's end, unless it is kept. */
    @Override
    public void close() {
        if (!isKept()) end.close();
    }

    /** Waits for the word, does what it asks for, and closes what was kept for it. */
    void hear(MachineUse use, Consumer<GuestOwner> corrected) {
        if (!isKept()) return;
        Optional<Fate> fate = Optional.empty();
        try {
            if (comes(use)) fate = life.corrected(listener.refusal());
            if (fate.isPresent()) meet(fate.get(), use);
        } finally {
            session.release(life.listenNoMore());
            use.end(); // first: who is told may begin the next
            listener.end();
            end.close();
            if (fate.isPresent()) corrected.accept(life.owner());
        }
    }

    /** Waits until the way back has ended; false if it is not worth while any more. */
    private boolean comes(MachineUse use) {
        long until = System.nanoTime() + most * 1_000_000;
        while (life.listens()) {
            if (listener.awaitEnd(Math.min(LOOK_MS, most))) return listener.outcome() != null;
            if (use.isOver() || guest.now() != RunState.POSTMIGRATE) return false;
            if (System.nanoTime() - until > 0) {
                LOG.warn(
                        "{}: {} has not said for {} s how it went: it is not listened for any more",
                        session.name(),
                        listener.peer(),
                        most / 1000);
                return false;
            }
        }
        return false;
    }

    private void meet(Fate fate, MachineUse use) {
        switch (fate) {
            case RESUMES -> resume(use, listener.refusal().getMessage());
            case GIVEN_UP -> runsThere();
        }
    }

    private void runsThere() {
        String here = guest.now().wireName();
        LOG.warn(
                "{}: {} says now that it runs the guest; the machine here is '{}'{}",
                session.name(),
                listener.peer(),
                here,
                here.equals(RunState.POSTMIGRATE.wireName()) ? "" : ": it must not run twice");
    }

    /** The guest goes on here, if it stands as it was left. */
    private void resume(MachineUse use, String why) {
        String name = session.name();
        if (!use.resume()) {
            LOG.warn("{}: later {}. Nothing is resumed: its machine is used", name, why);
        } else if (guest.now() != RunState.POSTMIGRATE) {
            String now = guest.now().wireName();
            LOG.warn("{}: later {}. Nothing is resumed: its machine is '{}'", name, why, now);
        } else {
            try {
                guest.resume();
                LOG.warn("{}: later {}. The guest goes on here", name, why);
            } catch (MigrationException e) {
                String could = "the guest could not be resumed: " + e.getMessage();
                LOG.warn("{}: later {}; {}", name, why, could, e);
                life.failure().addSuppressed(new MigrationException(e.blame(), could, e));
            }
        }
    }
}
