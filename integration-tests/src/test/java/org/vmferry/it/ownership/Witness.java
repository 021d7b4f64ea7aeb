package org.vmferry.it.ownership;

import org.vmferry.cli.jvm.ChildJvm;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A {@link Party}, and all that it has said. */
final class Witness implements AutoCloseable {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(120);

    private final ChildJvm process;
    private final Thread reader = new Thread(this::read, "witness");
    private final List<String> lines = new ArrayList<>(); // guarded by this, as ended
    private boolean ended;

    Witness(String side, boolean multifd) throws IOException {
        process = new ChildJvm(Party.class, side, Boolean.toString(multifd));
        reader.start();
    }

    private void read() {
        try {
            while (true) {
                String line = process.answer();
                synchronized (this) {
                    lines.add(line);
                    notifyAll();
                }
            }
        } catch (IOException e) {
            synchronized (this) {
                ended = true;
                notifyAll();
            }
        }
    }

    void tell(String line) throws IOException {
        process.tell(line);
    }

    /** Waits for a line with this first word; the rest of it, or empty if the process ended. */
    synchronized Optional<String> await(String word) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE;
        while (find(word).isEmpty() && !ended) {
            long rest = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (rest <= 0) throw new AssertionError("no '" + word + "' in " + lines);
            wait(rest);
        }
        return find(word);
    }

    synchronized Optional<String> find(String word) {
        return lines.stream()
                .filter(line -> line.startsWith(word + " "))
                .map(line -> line.substring(word.length() + 1))
                .findFirst();
    }

    /** When the guest did this, in ns, each time. */
    synchronized List<Long> times(String deed) {
        return lines.stream()
                .filter(line -> line.startsWith(deed + " "))
                .map(line -> Long.valueOf(line.substring(deed.length() + 1)))
                .toList();
    }

    /** Kills it with -9; all that it said is known then. */
    void kill() throws InterruptedException {
        process.close();
        reader.join();
    }

    @Override
    public synchronized String toString() {
        return lines.toString();
    }

    @Override
    public void close() throws InterruptedException {
        kill();
    }
}
