package org.vmferry.testkit.fault;

import org.vmferry.spi.transport.ForwardingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;

/** A file with faults. A transfer is made in the pieces that they leave of it. */
final class FaultyFile extends ForwardingFile {
    private final FaultyBytes in;
    private final FaultyBytes out;
    private final CountDownLatch ended;

    FaultyFile(PositionedFile real, FaultyBytes in, FaultyBytes out, CountDownLatch ended) {
        super(real);
        this.in = in;
        this.out = out;
        this.ended = ended;
    }

    @Override
    public void write(ByteBuffer source, long position) throws IOException {
        long at = position;
        while (source.hasRemaining()) {
            int most = admit(out, source.remaining());
            ByteBuffer piece = source.slice(source.position(), most);
            if (out.damages(most)) {
                ByteBuffer copy = ByteBuffer.allocateDirect(most + alignment());
                piece = copy.alignedSlice(alignment()).limit(most).put(piece).flip();
                out.damage(piece, 0, most);
            }
            real.write(piece, at);
            out.moved(most);
            at += most;
            source.position(source.position() + most);
        }
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
        int done = 0;
        while (target.hasRemaining()) {
            int most = admit(in, target.remaining());
            int first = target.position();
            int limit = target.limit();
            target.limit(first + most);
            int count;
            try {
                count = real.read(target, position + done);
            } finally {
                target.limit(limit);
            }
            if (count <= 0) break;
            in.damage(target, first, count);
            in.moved(count);
            done += count;
            if (count < most) break;
        }
        return done;
    }

    private int admit(FaultyBytes bytes, int wanted) throws IOException {
        return bytes.admit(wanted, alignment(), ended, () -> {});
    }
}
