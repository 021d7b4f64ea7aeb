package org.vmferry.engine.qmp;

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

/**
 * One client's connection. What it is sent is queued, and written by a thread of its own, so that
 * one that does not read holds up nobody: neither a migration nor the server's end.
 */
final class Client implements AutoCloseable {
    private static final Logger LOG = Log.of(Client.class);

    private static final int ROOM = 1 << 20; // bytes waiting before no more commands are read
    private static final int MOST = 8 << 20; // bytes waiting before it is given up

    private final Channel channel;
    private final Thread writer;
    private final Queue<byte[]> waiting = new ArrayDeque<>(); // guarded by this
    private long size; // of what waits, bytes; guarded by this
    private boolean ended; // guarded by this

    /** Whether qmp_capabilities was said; the monitor's to guard. */
    boolean negotiated;

    Client(Channel channel, String name) {
        this.channel = channel;
        writer = new Thread(this::write, name + "-writer");
        writer.setDaemon(true);
        try {
            writer.start();
        } catch (RuntimeException | Error e) {
            channel.release();
            throw e;
        }
    }

    /** Queues a message; any thread, never waits. */
    synchronized void send(Map<String, ?> message) {
        if (ended) return;
        byte[] line = (Json.write(message) + "\r\n").getBytes(StandardCharsets.UTF_8);
        waiting.add(line);
        size += line.length;
        notifyAll();
        if (size > MOST) {
            LOG.warn("A QMP client is given up: it does not read, and {} bytes wait", size);
            end();
        }
    }

    /** Reads until the client or the server ends it. */
    void read(Framer framer) {
        ByteBuffer bytes = ByteBuffer.allocate(16 << 10);
        try {
            while (awaitRoom() && channel.read(bytes.clear()) >= 0) framer.feed(bytes.flip());
        } catch (IOException e) {
            LOG.debug("A QMP client's connection ended", e);
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

    private synchronized byte[] next() throws IOException {
        while (waiting.isEmpty() && !ended) pause();
        return ended ? null : waiting.poll();
    }

    /** Waits until everything was written, or it has ended. */
    synchronized void flush() throws IOException {
        while (size > 0 && !ended) pause();
    }

    private void pause() throws IOException {
        try {
            wait();
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

    @Override
    public void close() throws IOException {
        end();
        Joined.all(List.of(writer));
        channel.close();
    }
}
