package org.vmferry.it.ownership;

import org.vmferry.cli.jvm.ChildJvm;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** A {@link Party}, and all that it has said. */
final class Witness implements AutoCloseable {
    private static final long PATIENCE_MS = 120_000;

    private final Talk talk;

    Witness(String side, boolean multifd) throws IOException {
        talk = new Talk(new ChildJvm(Party.class, side, Boolean.toString(multifd)));
    }

    void tell(String line) throws IOException {
        talk.tell(line);
    }

    /** Waits for a line with this first word; the rest of it, or empty if the process ended. */
    Optional<String> await(String word) throws InterruptedException {
        Optional<String> rest = talk.await(word + " ", PATIENCE_MS);
        if (rest.isPresent() || talk.hasEnded()) return rest;
        throw new AssertionError("no '" + word + "' in " + talk);
    }

    Optional<String> find(String word) {
        return talk.find(word + " ");
    }

    /** When the guest did this, in ns, each time. */
    List<Long> times(String deed) {
        return talk.all(deed + " ").stream().map(Long::valueOf).toList();
    }

    /** Kills it with -9; all that it said is known then. */
    void kill() throws InterruptedException {
        talk.close();
    }

    @Override
    public String toString() {
        return talk.toString();
    }

    @Override
    public void close() throws InterruptedException {
        kill();
    }
}
