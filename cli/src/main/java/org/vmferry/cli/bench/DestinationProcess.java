package org.vmferry.cli.bench;

import org.vmferry.cli.jvm.ChildJvm;

import java.io.IOException;
import java.nio.file.Path;

/** A second JVM that is the {@link Destination}. */
final class DestinationProcess implements AutoCloseable {
    private final ChildJvm process = new ChildJvm(Destination.class);

    DestinationProcess() throws IOException {}

    /** Begins to receive; returns where it listens. */
    String receive(long size, String codec, boolean touch, Path ram) throws IOException {
        return process.ask(size + " " + codec + " " + touch + " " + ram);
    }

    /** Waits until it has received. */
    void await() throws IOException {
        process.answer();
    }

    long pid() {
        return process.pid();
    }

    @Override
    public void close() {
        process.close();
    }
}
