package org.vmferry.it.ownership;

import org.vmferry.cli.jvm.ChildJvm;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A {@link SiteProgram}, and what it has said since it was last told to forget. */
final class Site implements AutoCloseable {
    private final String name;
    private final ChildJvm process;
    private final Thread reader = new Thread(this::read, "site");
    private final List<String> lines = new ArrayList<>(); // guarded by this, as ended
    private boolean ended;

    Site(String name, List<String> by) throws IOException {
        this.name = name;
        process = new ChildJvm(by, SiteProgram.class);
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

    /** Ends what is left of the scenario before, and forgets it. */
    void ready() throws IOException, InterruptedException {
        ask("ready");
        synchronized (this) {
            lines.clear();
        }
    }

    void tell(String line) throws IOException {
        process.tell(line);
    }

    /** Asks, and waits for the line that begins with the same word: its rest. */
    String ask(String word) throws IOException, InterruptedException {
        synchronized (this) {
            lines.removeIf(line -> line.startsWith(word + " "));
        }
        tell(word);
        return await(word + " ", 30_000).substring(word.length() + 1);
    }

    /** Waits for a line that begins so. */
    String await(String start, long ms) throws InterruptedException {
        if (hears(start, ms)) return find(start).orElseThrow();
        throw new AssertionError("no '%s' within %d ms: %s".formatted(start, ms, this));
    }

    /** Whether it says so within this time, or has already. */
    synchronized boolean hears(String start, long ms) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        while (find(start).isEmpty() && !ended) {
            long rest = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (rest <= 0) return false;
            wait(rest);
        }
        return find(start).isPresent();
    }

    private synchronized Optional<String> find(String start) {
        return lines.stream().filter(line -> line.startsWith(start)).findFirst();
    }

    /** Its power goes, as far as a process has one: it does nothing more, until it goes on. */
    void stand() throws IOException, InterruptedException {
        signal("STOP");
    }

    void goOn() throws IOException, InterruptedException {
        signal("CONT");
    }

    private void signal(String name) throws IOException, InterruptedException {
        String command = "kill -%s %d".formatted(name, process.pid());
        new ProcessBuilder("sh", "-c", command).start().waitFor();
    }

    @Override
    public synchronized String toString() {
        return name + " " + lines;
    }

    @Override
    public void close() throws InterruptedException {
        process.close();
        reader.join();
    }
}
