package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.BooleanSupplier;

/** The way back from destination to source, on the main channel (rules RPT-1 to RPT-4). */
final class ReturnPath {
    private static final Logger LOG = LoggerFactory.getLogger(ReturnPath.class);
    private static final int SHUT = 1;
    private static final int PONG = 2;
    private static final int LONGEST = 512;

    private ReturnPath() {}

    /** The destination's side: answers. */
    static final class Answers {
        // So many answers fill no socket, which counts most bytes for the smallest of messages.
        private static final int MOST_PINGS = 64;

        private final String migration;
        private final Channel channel;
        private int pings;
        private boolean over;

        Answers(String migration, Channel channel) throws IOException {
            this.migration = migration;
            this.channel = channel;
            channel.write(ByteBuffer.allocate(0)); // TLS needs to know that it will be written to
        }

        synchronized void pong(int value) throws IOException {
            if (++pings > MOST_PINGS) throw MigrationException.peer("over %d PINGs", MOST_PINGS);
            send(PONG, value);
        }

        /** Tells the outcome, once: 0 for success. That the source is gone is its own to notice. */
        synchronized void shut(int outcome) {
            if (over) return;
            over = true;
            try {
                send(SHUT, outcome);
            } catch (IOException e) {
                LOG.debug(
                        "{}: {} was not told the outcome {}",
                        migration,
                        channel.peer(),
                        outcome,
                        e);
            }
        }

        private void send(int type, int value) throws IOException {
            ByteBuffer message = ByteBuffer.allocate(8);
            message.putShort((short) type).putShort((short) 4).putInt(value).flip();
            while (message.hasRemaining()) channel.write(message);
        }
    }

    /** The source's side: a thread that waits for the outcome. */
    static final class Listener implements AutoCloseable {
        private final Channel channel;
        private final MigrationSession session;
        private final BooleanSupplier ending;
        private final Thread thread;
        private boolean over; // guarded by this, as the two below
        private Integer outcome;
        private IOException lost;

        /**
         * Begins to listen.
         *
         * @param ending whether the last bytes may be on their way: before, nobody can have them
         */
        Listener(Channel channel, MigrationSession session, BooleanSupplier ending) {
            this.ending = ending;
            this.channel = channel;
            this.session = session;
            thread = new Thread(this::listen, session.name() + "-return-path");
            thread.setDaemon(true);
            thread.start();
        }

        private void listen() {
            IOException end = null;
            Integer shut = null;
            try {
                while (shut == null) {
                    int type = read(2).getShort() & 0xffff;
                    int length = read(2).getShort() & 0xffff;
                    if (length > LONGEST) {
                        throw MigrationException.peer(
                                "a message of %d bytes on the return path, allowed are %d",
                                length, LONGEST);
                    }
                    ByteBuffer payload = read(length);
                    switch (type) {
                        case SHUT -> shut = number(payload, "SHUT");
                        case PONG -> number(payload, "PONG");
                        default ->
                                throw MigrationException.peer(
                                        "message %d on the return path: only SHUT and PONG are"
                                                + " known",
                                        type);
                    }
                }
                // A destination that gives up before it has everything stops the sending at once.
                if (shut != 0) session.fail(refused());
                else if (!ending.getAsBoolean()) {
                    shut = null;
                    throw MigrationException.peer(
                            "the destination says that it has loaded the machine before all of it"
                                    + " was sent");
                }
            } catch (MigrationException e) {
                session.fail(e);
                end = e;
            } catch (IOException e) {
                end = e;
            }
            synchronized (this) {
                outcome = shut;
                lost = end;
                over = true;
                notifyAll();
            }
        }

        private static int number(ByteBuffer payload, String name) throws MigrationException {
            if (payload.remaining() != 4) {
                throw MigrationException.peer(
                        "%s on the return path has %d bytes, must be 4", name, payload.remaining());
            }
            return payload.getInt();
        }

        private static MigrationException refused() {
            return MigrationException.peer(
                    "the destination failed to load the machine; its own log says why");
        }

        private ByteBuffer read(int length) throws IOException {
            ByteBuffer bytes = ByteBuffer.allocate(length);
            while (bytes.hasRemaining()) {
                if (channel.read(bytes) < 0) throw new IOException("the return path ended");
            }
            return bytes.flip();
        }

        /**
         * Waits for the destination's word, after everything was sent.
         *
         * @throws OutcomeUnknown if the way back ended without one
         */
        synchronized void awaitOutcome() throws IOException {
            try {
                while (!over) wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new OutcomeUnknown(e);
            }
            if (outcome == null) throw new OutcomeUnknown(lost);
            if (outcome != 0) throw refused();
        }

        /** Ends the thread; if the outcome has not come, the channel is of no use afterwards. */
        @Override
        public void close() {
            synchronized (this) {
                if (!over) channel.release();
            }
            Joined.all(List.of(thread));
        }
    }
}
