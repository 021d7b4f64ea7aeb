package org.vmferry.cli.bench;

import org.vmferry.cli.jvm.ChildJvm;

import java.io.IOException;
import java.util.List;

/** A second JVM that is a {@link Side}. */
final class SideProcess implements AutoCloseable {
    private final ChildJvm process;

    /**
     * What a side saw since it watches, in bytes.
     *
     * @param heap that was used at the most
     * @param grown what the process has more in use than before
     * @param made what the machine's RAM has more in use than before
     */
    record Seen(long heap, long grown, long made) {}

    /**
     * Starts one.
     *
     * @param options of the JVM's
     */
    SideProcess(String... options) throws IOException {
        process = new ChildJvm(List.of(), List.of(options), Side.class);
    }

    void make(GuestRam ram) throws IOException {
        process.ask("make " + ram.words());
    }

    /** Begins to watch its heap and its memory; returns what the machine's RAM has in use. */
    long watch() throws IOException {
        return Long.parseLong(process.ask("watch"));
    }

    /** What it saw; a machine's memory is what it is now. */
    Seen seen() throws IOException {
        String[] words = process.ask("seen").split(" ");
        return new Seen(
                Long.parseLong(words[0]), Long.parseLong(words[1]), Long.parseLong(words[2]));
    }

    void drop() throws IOException {
        process.ask("drop");
    }

    /** A checksum of what is used of a {@link SparseRam}; if percent is 0, of all RAM. */
    long sum(int percent) throws IOException {
        return Long.parseLong(process.ask("sum " + percent));
    }

    /** Begins to receive; returns where it listens. */
    String receive(String uri, List<String> options) throws IOException {
        load(uri, options);
        return process.answer();
    }

    /** Begins to load a file. */
    void load(String uri, List<String> options) throws IOException {
        process.tell("receive " + String.join(",", options) + " " + uri);
    }

    /** Begins to send, or to save into a file. */
    void send(String uri, List<String> options, boolean running) throws IOException {
        process.tell("send " + running + " " + String.join(",", options) + " " + uri);
    }

    /** Waits until what was begun is done; returns for how many ms the call lasted, there. */
    double done() throws IOException {
        return Long.parseLong(process.answer()) / 1e6;
    }

    long pid() {
        return process.pid();
    }

    @Override
    public void close() {
        process.close();
    }
}
