package org.vmferry.testkit.fault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/** The bytes of one direction, counted, and what is to happen to them. Any thread. */
final class FaultyBytes {
    private final List<Fault> faults;
    private final Runnable struck;
    private long count; // guarded by this

    FaultyBytes(List<Fault> faults, Runnable struck) {
        this.faults = new CopyOnWriteArrayList<>(faults);
        this.struck = struck;
    }

    /** One more, whose byte is counted from the next that moves. */
    synchronized void add(Fault fault) {
        faults.add(fault.after(count));
    }

    /**
     * Before a transfer: waits, stalls or fails as is due at the first of its bytes.
     *
     * @param wanted how many bytes
     * @param alignment what the transfer must be a multiple of
     * @param gone lets go whoever is stalled
     * @param cut loses the connection
     * @return how many may be moved, at least 1
     */
    int admit(int wanted, int alignment, CountDownLatch gone, Runnable cut) throws IOException {
        long from;
        synchronized (this) {
            from = count;
        }
        int most = wanted;
        for (Fault fault : faults) {
            long left = fault.at() - from;
            switch (fault.kind()) {
                case DELAY -> {
                    if (left <= 0) pause(fault.value());
                }
                case SPLIT -> {
                    if (left <= 0) {
                        long piece = Math.max(alignment, fault.value() / alignment * alignment);
                        most = (int) Math.min(most, piece);
                    }
                }
                case CUT, STALL, FULL -> {
                    long whole = left - Math.floorMod(left, alignment);
                    if (wanted <= left) break;
                    if (whole > 0) most = (int) Math.min(most, whole);
                    else if (wanted > 0) strike(fault, gone, cut);
                }
                case CORRUPT, REFUSE -> {}
            }
        }
        return most;
    }

    private void strike(Fault fault, CountDownLatch gone, Runnable cut) throws IOException {
        struck.run();
        switch (fault.kind()) {
            case CUT -> {
                cut.run();
                throw new IOException("injected fault: cut at byte " + fault.at());
            }
            case FULL -> throw new IOException("No space left on device");
            default -> {
                stall(gone);
                throw new IOException("injected fault: let go, stalled at byte " + fault.at());
            }
        }
    }

    private static void pause(long nanos) {
        for (long end = System.nanoTime() + nanos, left = nanos;
                left > 0;
                left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    private static void stall(CountDownLatch gone) throws IOException {
        try {
            gone.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted in an injected stall", e);
        }
    }

    synchronized void moved(int bytes) {
        count += bytes;
    }

    /** Whether one of the next bytes is to be damaged. */
    synchronized boolean damages(int bytes) {
        return faults.stream().anyMatch(f -> hits(f, bytes));
    }

    /** Damages what is due in bytes that are the next to be moved, or just were. */
    synchronized void damage(ByteBuffer bytes, int first, int length) {
        for (Fault fault : faults) {
            if (!hits(fault, length)) continue;
            int index = first + (int) (fault.at() - count);
            bytes.put(index, (byte) (bytes.get(index) ^ fault.value()));
            struck.run();
        }
    }

    private boolean hits(Fault fault, int bytes) {
        return fault.kind() == Fault.Kind.CORRUPT
                && fault.at() >= count
                && fault.at() < count + bytes;
    }
}
