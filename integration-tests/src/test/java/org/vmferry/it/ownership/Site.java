package org.vmferry.it.ownership;

import org.vmferry.cli.jvm.ChildJvm;

import java.io.IOException;
import java.util.List;

/** A {@link SiteProgram}, and what it has said since it was last told to forget. */
final class Site implements AutoCloseable {
    private final String name;
    private final Talk talk;

    Site(String name, List<String> by) throws IOException {
        this.name = name;
        talk = new Talk(new ChildJvm(by, List.of(), SiteProgram.class));
    }

    /** Ends what is left of the scenario before, and forgets it. */
    void ready() throws IOException, InterruptedException {
        ask("ready");
        talk.forget("");
    }

    void tell(String line) throws IOException {
        talk.tell(line);
    }

    /** Asks, and waits for the line that begins with the same word: its rest. */
    String ask(String word) throws IOException, InterruptedException {
        talk.forget(word + " ");
        tell(word);
        return await(word + " ", 30_000).substring(word.length() + 1);
    }

    /** Waits for a line that begins so. */
    String await(String start, long ms) throws InterruptedException {
        return talk.await(start, ms)
                .map(rest -> start + rest)
                .orElseThrow(
                        () ->
                                new AssertionError(
                                        "no '%s' within %d ms: %s".formatted(start, ms, this)));
    }

    /** Whether it says so within this time, or has already. */
    boolean hears(String start, long ms) throws InterruptedException {
        return talk.await(start, ms).isPresent();
    }

    /** Its power goes, as far as a process has one: it does nothing more, until it goes on. */
    void stand() throws IOException, InterruptedException {
        talk.signal("STOP");
    }

    void goOn() throws IOException, InterruptedException {
        talk.signal("CONT");
    }

    @Override
    public String toString() {
        return name + " " + talk;
    }

    @Override
    public void close() throws InterruptedException {
        talk.close();
    }
}
