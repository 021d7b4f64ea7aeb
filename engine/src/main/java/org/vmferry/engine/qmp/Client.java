package org.vmferry.engine.qmp;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.vmferry.engine.json.Json;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.function.Consumer;

/**
 * One client's connection, with a thread that reads what it says. What it is sent is queued, and
 * written by another, so that one that does not read holds up nobody: neither a migration nor the
 * server's end.
 */
final class Client implements AutoCloseable {
    private static final Logger LOG = Log.of(Client.class);

    private static final int ROOM = 1 << 20; // bytes waiting before no more commands are read
    private static final int MOST = 8 << 20; // bytes waiting before it is given up
    private static final long LAST_MS = 5000; // for what waits when it has said its last

    private final Channel channel;
    private final Thread reader;
    private final Thread writer;
    private final Queue<byte[]> waiting = new ArrayDeque<>(); // guarded by this
    private long size; // of what waits, bytes; guarded by this
    private boolean ended; // guarded by this

    /**
     * A client that nobody serves yet.
     *
     * @param gone is told when it was served, by the thread that did
     */
    Client(Channel channel, Monitor monitor, String name, Consumer<Client> gone) {
        this.channel = channel;
        reader = new Thread(() -> serve(monitor, gone), name + "-client");
        writer = new Thread(this::write, name + "-writer");
        reader.setDaemon(true);
        writer.setDaemon(true);
    }

    /** Serves it; if that can't be begun, it is closed. */
    void start() throws IOException {
        try {
            writer.start();
            reader.start();
        } catch (RuntimeException | Error e) { // no thread is to be had
            close();
            throw e;
        }
    }

    private void serve(Monitor monitor, Consumer<Client> gone) {
        Conversation conversation = new Conversation(monitor, this);
        try (this) {
            monitor.joined(conversation);
            read(new Framer(conversation));
        } catch (IOException | RuntimeException | Error e) {
            LOG.warn("{}: a client's connection failed", reader.getName(), e);
        } finally {
            monitor.left(conversation);
            gone.accept(this);
        }
    }

    /** Queues a message; any thread, never waits. */
    synchronized void send(Map<String, ?> message) {
        if (ended) return;
        byte[] line = (Json.writeAscii(message) + "\r\n").getBytes(StandardCharsets.US_ASCII);
        waiting.add(line);
        size += line.length;
        notifyAll();
        if (size > MOST) {
            LOG.warn("A QMP client is given up: it does not read, and {} bytes wait", size);
            end();
        }
    }

    /**
     * Reads until the client or the server ends it. A client that only says no more may still wait
     * for its answers, such as one at the end of a pipe.
     */
    private void read(Framer framer) {
        ByteBuffer bytes = ByteBuffer.allocate(16 << 10);
        try {
            while (awaitRoom() && channel.read(bytes.clear()) >= 0) framer.feed(bytes.flip());
            drain(lastWord());
        } catch (IOException e) {
            LOG.debug("A QMP client's connection ended", e);
        }
    }

    /** Until when a client that says no more may read what waits for it: a nanoTime. */
    static long lastWord() {
        return System.nanoTime() + LAST_MS * 1_000_000;
    }

    /** Waits until everything was written, or it has ended, or a nanoTime has come. */
    synchronized void drain(long deadline) throws IOException {
        for (long left; size > 0 && !ended; pause(left)) {
            left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                LOG.debug("A QMP client does not read the last {} bytes", size);
                return;
            }
        }
    }

    private synchronized boolean awaitRoom() throws IOException {
        while (size > ROOM && !ended) pause();
        return !ended;
    }

    private void write() {
        try {
            for (byte[] line; (line = next()) != null; ) {
                ByteBuffer bytes = ByteBuffer.wrap(line);
                while (bytes.hasRemaining()) channel.write(bytes);
                synchronized (this) {
                    size -= line.length;
                    notifyAll();
                }
            }
        } catch (IOException e) {
            LOG.debug("A QMP client's connection ended", e);
            end();
        }
    }

    private synchronized byte @Nullable [] next() throws IOException {
        while (waiting.isEmpty() && !ended) pause();
        return ended ? null : waiting.poll();
    }

    private void pause() throws IOException {
        pause(0);
    }

    private void pause(long ms) throws IOException {
        try {
            wait(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** Lets go whoever reads or writes; any thread. */
    synchronized void end() {
        ended = true;
        notifyAll();
        channel.release();
    }

    /** Waits so many ms at the most until nobody serves it any more; false if somebody does. */
    boolean join(long ms) {
        return Joined.within(List.of(reader), ms);
    }

    @Override
    public void close() throws IOException {
        end();
        Joined.all(List.of(writer));
        channel.close();
    }
}
