package org.vmferry.it.ownership;

import org.vmferry.cli.jvm.ChildJvm;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A process, and the lines that it has said. */
final class Talk implements AutoCloseable {
    private final ChildJvm process;
    private final Thread reader = new Thread(this::read, "talk");
    private final List<String> lines = new ArrayList<>(); // guarded by this, as ended
    private boolean ended;

    /** Begins to hear it. */
    Talk(ChildJvm process) {
        this.process = process;
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

    /** Forgets the lines that begin so. */
    synchronized void forget(String start) {
        lines.removeIf(line -> line.startsWith(start));
    }

    /** Waits for a line that begins so; the rest of it, or empty if none came, or it has ended. */
    synchronized Optional<String> await(String start, long ms) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        while (find(start).isEmpty() && !ended) {
            long rest = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (rest <= 0) break;
            wait(rest);
        }
        return find(start);
    }

    Optional<String> find(String start) {
        return all(start).stream().findFirst();
    }

    /** The rests of all lines that begin so. */
    synchronized List<String> all(String start) {
        return lines.stream()
                .filter(line -> line.startsWith(start))
                .map(line -> line.substring(start.length()))
                .toList();
    }

    synchronized boolean hasEnded() {
        return ended;
    }

    /** Sends it a signal. */
    void signal(String name) throws IOException, InterruptedException {
        String command = "kill -%s %d".formatted(name, process.pid());
        new ProcessBuilder("sh", "-c", command).start().waitFor();
    }

    @Override
    public synchronized String toString() {
        return lines.toString();
    }

    /** Kills it with -9; all that it said is known then. */
    @Override
    public void close() throws InterruptedException {
        process.close();
        reader.join();
    }
}
