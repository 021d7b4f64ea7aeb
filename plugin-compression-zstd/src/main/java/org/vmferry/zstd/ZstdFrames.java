package org.vmferry.zstd;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;

import org.vmferry.spi.MigrationException;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * What a file has that the command zstd packed: one frame behind the other, up to where something
 * else stands or the file ends. A frame may ask for 128 MiB of memory beside the heap, as much as
 * that command allows by itself. For one thread.
 */
public final class ZstdFrames extends InputStream {
    private static final int MAGIC = 0xfd2fb528;
    private static final int SKIPPED = 0x184d2a50;
    private static final int SKIPPED_MASK = 0xfffffff0;
    private static final int SOURCE = 16 << 10; // read anew behind each frame
    private static final int TARGET = 128 << 10;

    /** A frame asks for more memory than is given for it. */
    public static final class WindowException extends IOException {
        private static final long serialVersionUID = 1;

        WindowException(ZstdException cause) {
            super(cause.getMessage(), cause);
        }
    }

    private final InputStream in;
    private final ZstdDecompressCtx context;
    private final byte[] bytes = new byte[SOURCE];
    private final ByteBuffer source = ByteBuffer.allocateDirect(SOURCE).limit(0);
    private final ByteBuffer target = ByteBuffer.allocateDirect(TARGET).limit(0);
    private boolean inFrame;

    /**
     * Over packed bytes.
     *
     * @param in at a frame's beginning; is read no further than the last frame. It marks, and stays
     *     the caller's
     * @throws MigrationException if zstd is not to be had, and why
     */
    public ZstdFrames(InputStream in) throws MigrationException {
        this.in = in;
        try {
            context = new ZstdDecompressCtx();
        } catch (LinkageError e) {
            throw ZstdCodec.noLibrary(e);
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, into.length);
        if (length == 0) return 0;
        while (!target.hasRemaining()) {
            if (!inFrame && !begins()) return -1;
            step();
        }
        int count = Math.min(length, target.remaining());
        target.get(into, offset, count);
        return count;
    }

    /** Whether a frame is next. */
    private boolean begins() throws IOException {
        in.mark(Integer.BYTES);
        byte[] next = in.readNBytes(Integer.BYTES);
        in.reset();
        if (next.length < Integer.BYTES) return false;
        int magic = ByteBuffer.wrap(next).order(ByteOrder.LITTLE_ENDIAN).getInt();
        inFrame = magic == MAGIC || (magic & SKIPPED_MASK) == SKIPPED;
        return inFrame;
    }

    private void step() throws IOException {
        // Where the last step filled all of the target, more may have been unpacked already.
        boolean full = target.limit() == target.capacity();
        if (!source.hasRemaining() && !full) fill();
        target.clear();
        try {
            inFrame = !context.decompressDirectByteBufferStream(target, source);
        } catch (ZstdException e) {
            target.limit(0);
            // What it calls a code is zstd's result, which is one in disguise.
            if (Zstd.getErrorCode(e.getErrorCode()) == Zstd.errFrameParameterWindowTooLarge())
                throw new WindowException(e);
            throw new IOException(e.getMessage(), e);
        }
        target.flip();
        if (!inFrame) giveBack();
    }

    private void fill() throws IOException {
        in.mark(SOURCE);
        int count = in.read(bytes);
        if (count < 0) throw new EOFException("the frame does not end");
        source.clear().put(bytes, 0, count).flip();
    }

    /** What stands behind the frame. */
    private void giveBack() throws IOException {
        if (!source.hasRemaining()) return;
        in.reset();
        in.skipNBytes(source.position());
        source.limit(0);
    }

    /** Lets go what is beside the heap; what is read from stays open. */
    @Override
    public void close() {
        context.close();
    }
}
