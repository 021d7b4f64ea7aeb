package org.vmferry.it.fuzz;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A destination in memory that takes a small machine's stream and answers where one does: at each
 * PING, and at the end.
 */
final class Destination extends MemoryChannel {
    /** At the end, in place of a PING's number. */
    static final int END = 0;

    private static final byte[] PING = {8, 0, 2, 0, 4}; // is in none of the machine's pages
    private static final int DESCRIPTION = 6;

    /** What it says. */
    interface Answers {
        /**
         * Says it.
         *
         * @param step 0 for the first time
         * @param number the PING's, or {@link #END}
         * @return null to hang up
         */
        byte[] to(int step, int number);
    }

    private final Answers answers;
    // All below are guarded by this.
    private final ByteArrayOutputStream come = new ByteArrayOutputStream();
    private final ByteArrayOutputStream known = new ByteArrayOutputStream();
    private ByteBuffer says = ByteBuffer.allocate(0);
    private int looked;
    private int step;
    private boolean ends;
    private boolean gone;

    Destination(Answers answers) {
        this.answers = answers;
    }

    @Override
    public synchronized int read(ByteBuffer target) throws IOException {
        try {
            while (!says.hasRemaining() && !gone && isOpen()) wait();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
        check();
        return give(says, target);
    }

    @Override
    public synchronized int write(ByteBuffer source) throws IOException {
        check();
        byte[] bytes = taken(source);
        come.writeBytes(bytes);
        look();
        return bytes.length;
    }

    private void look() {
        byte[] all = come.toByteArray();
        for (; looked + PING.length + 4 <= all.length; looked++) {
            if (!Arrays.equals(all, looked, looked + PING.length, PING, 0, PING.length)) continue;
            int at = looked + PING.length;
            known.write(all, known.size(), at - known.size());
            known.writeBytes(new byte[] {0, 0, 0, (byte) step});
            looked = at + 4;
            say(ByteBuffer.wrap(all).getInt(at));
        }
        if (!ends && step > 0 && isEnd(ByteBuffer.wrap(all), known.size())) {
            ends = true;
            known.write(all, known.size(), all.length - known.size());
            say(END);
        }
    }

    /** A zero and a VMDESCRIPTION stand behind the last PING. */
    private static boolean isEnd(ByteBuffer all, int at) {
        return all.limit() >= at + 6
                && all.get(at) == 0
                && all.get(at + 1) == DESCRIPTION
                && all.limit() >= at + 6 + all.getInt(at + 2);
    }

    private void say(int number) {
        byte[] more = answers.to(step++, number);
        if (more == null) {
            hangUp();
            return;
        }
        ByteBuffer both = ByteBuffer.allocate(says.remaining() + more.length);
        says = both.put(says).put(more).flip();
        notifyAll();
    }

    /** It says nothing more. */
    synchronized void hangUp() {
        gone = true;
        notifyAll();
    }

    /** What came, with other numbers in its PINGs: the same each time. */
    synchronized byte[] come() {
        return known.toByteArray();
    }

    /** How often it had to answer. */
    synchronized int steps() {
        return step;
    }

    /** Whether the end came. */
    synchronized boolean hasEnd() {
        return ends;
    }
}
