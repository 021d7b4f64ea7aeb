package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The source's side of the return path: a thread that hears what the destination says, and those
 * who wait for it (rules RPT-2 to RPT-8).
 */
final class AnswerListener implements AutoCloseable {
    private static final Logger LOG = Log.of(AnswerListener.class);
    private static final long SAY_MS = 20_000;
    private static final long LOOK_MS = 500;

    /** A destination that fails says so, and then ends its connections: its word is on its way. */
    private static final long LAST_WORD_MS = 1000;

    private final Channel channel;
    private final MigrationSession session;
    private final Silence silence;
    private final Thread thread;
    private boolean kept; // the migration's thread's own
    private String reason; // the listening thread's own
    private Refused refusal; // before over, which is guarded
    private Integer awaited; // guarded by this, as below; a PING's number
    private boolean ready; // the peer, for the switch-over
    private boolean over;
    private Integer outcome;
    private IOException lost;
    private MigrationException threw; // whose code it was that the end was not sent whole; or null

    /** Begins to listen. */
    AnswerListener(Channel channel, MigrationSession session, Silence silence) {
        this.channel = channel;
        this.session = session;
        this.silence = silence;
        session.life().hears();
        thread = new Thread(this::listen, session.name() + "-return-path");
        thread.setDaemon(true);
        thread.start();
        session.onFailure(this::lastWord);
    }

    private void listen() {
        MigrationException fails = null;
        IOException end = null;
        Integer shut = null;
        try {
            while (shut == null) shut = message();
            // A destination that gives up before it has everything stops the sending at once.
            if (shut != 0) {
                fails = refusal = refused();
            } else if (!session.life().committed()) {
                shut = null;
                throw MigrationException.peer(
                        "the destination says that it has loaded the machine before all of it was"
                                + " sent");
            }
        } catch (MigrationException e) {
            fails = e;
            end = e;
        } catch (IOException e) {
            end = e;
            // Nobody else may be reading or writing, with the guest paused.
            if (!session.life().committed() && session.life().failure() == null) {
                fails =
                        new MigrationException(
                                Blame.TRANSPORT, "the destination was lost: " + e.getMessage(), e);
            }
        } catch (Throwable e) { // whoever waits must hear of it
            end = fails = MigrationException.of(e);
        }
        synchronized (this) {
            outcome = shut;
            lost = end;
            over = true;
            notifyAll();
        }
        if (fails != null) session.fail(fails);
    }

    /** Where this side's code threw, that is why the destination lacks something. */
    private synchronized Refused refused() {
        Refused word = new Refused(reason);
        if (threw == null) return word;
        Refused better = new Refused(threw);
        better.addSuppressed(word);
        return better;
    }

    /** Reads one; the outcome, or null if it is another. */
    private Integer message() throws IOException {
        int type = read(2).getShort() & 0xffff;
        int length = read(2).getShort() & 0xffff;
        if (length > ReturnPath.LONGEST) {
            throw MigrationException.peer(
                    "a message of %d bytes on the return path, allowed are %d",
                    length, ReturnPath.LONGEST);
        }
        ByteBuffer payload = read(length);
        silence.sign();
        switch (type) {
            case ReturnPath.SHUT -> {
                return number(payload, "SHUT");
            }
            case ReturnPath.PONG -> answered(number(payload, "PONG"));
            case ReturnPath.REASON ->
                    reason = ReturnPath.clean(StandardCharsets.UTF_8.decode(payload).toString());
            case ReturnPath.SWITCHOVER_ACK -> ready(payload);
            default ->
                    throw MigrationException.peer(
                            "message %d on the return path: only SHUT and PONG are known", type);
        }
        return null;
    }

    private static int number(ByteBuffer payload, String name) throws MigrationException {
        if (payload.remaining() != 4) {
            throw MigrationException.peer(
                    "%s on the return path has %d bytes, must be 4", name, payload.remaining());
        }
        return payload.getInt();
    }

    private ByteBuffer read(int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes) < 0) throw new IOException("the return path ended");
        }
        return bytes.flip();
    }

    private synchronized void answered(int number) {
        if (awaited == null || awaited != number) return;
        awaited = null;
        notifyAll();
    }

    private synchronized void ready(ByteBuffer payload) throws MigrationException {
        if (payload.hasRemaining()) {
            throw MigrationException.peer(
                    "SWITCHOVER_ACK on the return path has %d bytes, must be 0",
                    payload.remaining());
        }
        ready = true;
        notifyAll();
    }

    /** The number for a PING, which {@link #awaitPong} is to be answered. */
    synchronized int ping() {
        int number;
        do number = ThreadLocalRandom.current().nextInt();
        while (number == ReturnPath.GREETING);
        awaited = number;
        return number;
    }

    /**
     * Waits for the answer to the last PING, which was sent.
     *
     * @param what the destination has then
     * @throws MigrationException if it does not come within silence-timeout
     */
    synchronized void awaitPong(String what) throws IOException {
        for (long began = System.nanoTime(); awaited != null; ) {
            checkThere("it had " + what);
            if (!waits(began, "to have " + what)) {
                throw MigrationException.peer(
                        "%s does not say that it has %s: it has taken nothing, and said nothing,"
                                + " for %d ms (silence-timeout). Its own log says what it waits"
                                + " for",
                        channel.peer(), what, silence.limit());
            }
        }
    }

    private void checkThere(String before) throws MigrationException {
        session.check();
        if (!over) return;
        if (refusal != null) throw refusal;
        throw new MigrationException(
                lost instanceof MigrationException typed ? typed.blame() : Blame.TRANSPORT,
                "the destination was lost before " + before + ": " + lost.getMessage(),
                lost);
    }

    /**
     * Waits until the destination has said that it is ready for the switch-over (rule RPT-10).
     *
     * @return false if it had said so before
     * @throws MigrationException if it does not within silence-timeout
     */
    synchronized boolean awaitReady() throws IOException {
        boolean waited = !ready;
        for (long began = System.nanoTime(); !ready; ) {
            checkThere("it was ready for the switch-over");
            if (!waits(began, "to be ready for the switch-over (switchover-ack)")) {
                throw MigrationException.peer(
                        "%s does not say that it is ready for the switch-over, and said nothing for"
                                + " %d ms (silence-timeout): is switchover-ack set there too?",
                        channel.peer(), silence.limit());
            }
        }
        return waited;
    }

    /**
     * The end was not sent whole. The destination may have all of it nevertheless; if it has not,
     * it says so as soon as it knows that no more comes.
     */
    void endsEarly(IOException why) {
        if (why instanceof MigrationException typed && typed.blame().isCodes()) {
            synchronized (this) {
                threw = typed;
            }
        }
        try {
            channel.shutdownOutput();
        } catch (IOException | RuntimeException e) {
            LOG.debug("{}: {} is gone", session.name(), channel.peer(), e);
        }
    }

    /**
     * Waits for the destination's word, after everything was sent.
     *
     * @return false if it does not come in time
     * @throws OutcomeUnknown if the way back ended without one
     */
    synchronized boolean awaitOutcome() throws IOException {
        for (long began = System.nanoTime(); !over; ) {
            if (!waits(began, "to say that it runs the guest")) return false;
        }
        if (outcome == null) throw new OutcomeUnknown(threw == null ? lost : threw);
        if (outcome != 0) throw refusal;
        return true;
    }

    /** That it did not. */
    synchronized OutcomeUnknown silent() {
        if (threw != null) return new OutcomeUnknown(threw);
        return new OutcomeUnknown(
                "%s said nothing for %d ms (silence-timeout)"
                        .formatted(channel.peer(), silence.limit()),
                null);
    }

    /** From here on {@link #close} leaves it to whoever waits for a late word. */
    void keep() {
        kept = true;
    }

    /** Waits for the end of the way back, for so many ms at the most; false if it goes on. */
    boolean awaitEnd(long millis) {
        return Joined.within(List.of(thread), millis);
    }

    /** The word, once the way back has ended: 0 if the guest runs there; null if none came. */
    synchronized Integer outcome() {
        return outcome;
    }

    /** Why that is another than 0. */
    synchronized Refused refusal() {
        return refusal;
    }

    String peer() {
        return channel.peer();
    }

    /** Waits for a change; false if the peer has been silent for too long. Says what it does. */
    private boolean waits(long began, String what) throws IOException {
        long rest = silence.rest();
        if (rest <= 0) return false;
        long waited = (System.nanoTime() - began) / 1_000_000;
        try {
            wait(Math.min(rest, LOOK_MS)); // the limit may change meanwhile
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            IOException why = new IOException("the migration's thread was interrupted", e);
            throw why;
        }
        long now = (System.nanoTime() - began) / 1_000_000;
        if (now / SAY_MS > waited / SAY_MS) {
            LOG.warn(
                    "{}: waits for {} {}, {} s so far",
                    session.name(),
                    channel.peer(),
                    what,
                    now / 1000);
        }
        return true;
    }

    /**
     * The migration has failed. If a channel's loss is why, the destination's own word is worth
     * more, and on its way: nothing is closed before it had time to come.
     */
    private synchronized void lastWord() {
        notifyAll();
        LifeCycle life = session.life();
        if (life.committed() || life.failure().blame() != Blame.TRANSPORT) return;
        long until = System.nanoTime() + LAST_WORD_MS * 1_000_000;
        try {
            for (long rest; !over && (rest = until - System.nanoTime()) > 0; ) {
                wait(rest / 1_000_000 + 1);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends the thread; if the outcome has not come, the channel is of no use afterwards. */
    @Override
    public void close() {
        if (kept) return;
        synchronized (this) {
            if (!over) channel.release();
        }
        Joined.all(List.of(thread));
    }

    /** Ends what was kept. */
    void end() {
        channel.release();
        Joined.all(List.of(thread));
    }
}
