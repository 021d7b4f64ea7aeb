package org.vmferry.cli.bench;

import java.io.IOException;
import java.util.List;

/**
 * vmferry's two processes, source and destination, over the loopback. They stay, so what they do
 * first is cold and what they do later is warm.
 */
final class Pair implements AutoCloseable {
    final SideProcess source;
    final SideProcess target;

    /**
     * A migration.
     *
     * @param cost from the call at the source until both are done
     * @param sourceMs for how long the source's host had called, there
     * @param targetMs the same at the destination
     */
    record Moved(Cost cost, double sourceMs, double targetMs) {}

    /**
     * Starts both.
     *
     * @param options of the JVMs'
     */
    Pair(String... options) throws IOException {
        target = new SideProcess(options);
        try {
            source = new SideProcess(options);
        } catch (IOException | RuntimeException | Error e) {
            target.close();
            throw e;
        }
    }

    void make(GuestRam from, GuestRam to) throws IOException {
        source.make(from);
        target.make(to);
    }

    void drop() throws IOException {
        source.drop();
        target.drop();
    }

    /** Moves the machine that the source has made into that of the destination. */
    Moved move(List<String> options, boolean running) throws IOException {
        String uri = target.receive("tcp:127.0.0.1:0", options);
        Cost.Meter meter = Cost.of(source.pid(), target.pid());
        source.send(uri, options, running);
        double sourceMs = source.done();
        double targetMs = target.done();
        return new Moved(meter.read(), sourceMs, targetMs);
    }

    /** Fails if the RAM of both machines, or what a {@link SparseRam} has in use, differs. */
    void compare(int percent, String what) throws IOException {
        if (source.sum(percent) != target.sum(percent))
            throw new IOException(what + ": the RAM that arrived differs");
    }

    @Override
    public void close() {
        try (target) {
            source.close();
        }
    }
}
