package org.vmferry.testkit.fault;

import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;

/** A channel with faults. */
final class FaultyChannel extends OneBufferChannel {
    private final FaultyBytes in;
    private final FaultyBytes out;
    private final CountDownLatch gone;

    FaultyChannel(Channel real, FaultyBytes in, FaultyBytes out, CountDownLatch gone) {
        super(real);
        this.in = in;
        this.out = out;
        this.gone = gone;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        int most = in.admit(target.remaining(), 1, gone, this::cut);
        int limit = target.limit();
        int first = target.position();
        target.limit(first + most);
        int count;
        try {
            count = real.read(target);
        } finally {
            target.limit(limit);
        }
        if (count > 0) {
            in.damage(target, first, count);
            in.moved(count);
        }
        return count;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        int most = out.admit(source.remaining(), 1, gone, this::cut);
        ByteBuffer piece = source.slice(source.position(), most);
        if (out.damages(most)) {
            ByteBuffer copy = ByteBuffer.allocateDirect(most).put(piece).flip();
            out.damage(copy, 0, most);
            // All of it now: the count stays the same until the damaged byte has gone.
            while (copy.hasRemaining()) out.moved(real.write(copy));
            source.position(source.position() + most);
            return most;
        }
        int count = real.write(piece);
        source.position(source.position() + count);
        out.moved(count);
        return count;
    }

    /** One more from now on; a cut at its first byte is made now. */
    void strike(Fault fault) {
        (fault.reading() ? in : out).add(fault);
        if (fault.kind() == Fault.Kind.CUT && fault.at() == 0) cut();
    }

    private void cut() {
        real.release();
    }

    @Override
    public void close() throws IOException {
        gone.countDown();
        super.close();
    }

    @Override
    public void release() {
        gone.countDown();
        super.release();
    }
}
