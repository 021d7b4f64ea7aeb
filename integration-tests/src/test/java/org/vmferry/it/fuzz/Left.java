package org.vmferry.it.fuzz;

import org.vmferry.it.support.Held;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What a process holds: threads, direct memory, descriptors by what they lead to. */
record Left(Held held, List<String> open) {
    private static final long SMALL = 4096; // bytes: the JDK keeps some for each living thread

    static Left now() throws Exception {
        Held held = Held.now();
        List<String> open = new ArrayList<>();
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            for (Path each : (Iterable<Path>) all::iterator) {
                String target = target(each);
                // What the JVM loads, whenever it does.
                if (!target.matches(".*\\.(jar|so)|.*/modules|/dev/u?random|/proc/.*|")) {
                    open.add(target);
                }
            }
        }
        return new Left(held, open);
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return ""; // it was closed meanwhile: the listing's own
        }
    }

    /** What is there now and was not before; empty if nothing is. */
    String beyond(Left before) {
        StringBuilder more = new StringBuilder();
        List<String> threads = new ArrayList<>(held.threads());
        before.held.threads().forEach(threads::remove);
        if (!threads.isEmpty()) more.append(" threads ").append(threads);
        List<String> files = new ArrayList<>(open);
        before.open.forEach(files::remove);
        if (!files.isEmpty()) more.append(" descriptors ").append(files);
        for (int pool = 0; pool < held.buffers().size(); pool++) {
            long grown = held.buffers().get(pool) - before.held.buffers().get(pool);
            if (grown >= SMALL) more.append(" bytes of direct memory ").append(grown);
        }
        return more.toString();
    }
}
