package org.vmferry.engine.stream;

import org.vmferry.engine.MemoryChannel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A connection that brings one piece after another, and may wait before one. */
final class Pieces extends MemoryChannel {
    private final Iterator<byte[]> pieces;
    private final int stallBefore; // index; beyond the last, the end does not come
    private final long stall; // ms
    private final CountDownLatch released = new CountDownLatch(1);
    private int read;

    Pieces(List<byte[]> pieces, int stallBefore, long stall) {
        super(new byte[0], 0);
        this.pieces = pieces.iterator();
        this.stallBefore = stallBefore;
        this.stall = stall;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        try {
            if (read++ == stallBefore && released.await(stall, TimeUnit.MILLISECONDS)) {
                throw new ClosedChannelException();
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        if (!pieces.hasNext()) return -1;
        byte[] piece = pieces.next();
        target.put(piece);
        return piece.length;
    }

    @Override
    public void close() {
        released.countDown();
    }
}
