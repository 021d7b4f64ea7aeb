package org.vmferry.cli.bench;

import org.vmferry.cli.jvm.ChildJvm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** A second JVM that is the {@link Destination}. */
final class DestinationProcess implements AutoCloseable {
    private final ChildJvm process = new ChildJvm(Destination.class);

    DestinationProcess() throws IOException {}

    /** Begins to receive, into a file or memory of its own; returns where it listens. */
    String receive(long size, String codec, boolean touch, boolean sum, Optional<Path> ram)
            throws IOException {
        String place = ram.map(Path::toString).orElse("");
        return process.ask(size + " " + codec + " " + touch + " " + sum + " " + place);
    }

    /** Waits until it has received; returns the sum, if it was to make one. */
    String await() throws IOException {
        return process.answer();
    }

    long pid() {
        return process.pid();
    }

    @Override
    public void close() {
        process.close();
    }
}
