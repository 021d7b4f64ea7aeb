package org.vmferry.engine.stream;

import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A file that is looked through from front to back, some bytes ahead of each place. Its holes cost
 * nothing, and who looks hears of a cancel at each MiB.
 */
final class Window {
    private static final int SIZE = 1 << 20;

    private final Session session;
    private final PositionedFile file;
    private final byte[] bytes = new byte[SIZE];
    private final ByteBuffer buffer = ByteBuffer.wrap(bytes);
    private long first;
    private int length;

    Window(Session session, PositionedFile file) {
        this.session = session;
        this.file = file;
    }

    /**
     * Moves on, so that bytes can be looked at.
     *
     * @param count some hundreds at the most
     * @return whether the file has as many there
     */
    boolean has(long at, int count) throws IOException {
        if (at >= first && at + count <= first + length) return true;
        session.check();
        first = at;
        length = Math.max(0, file.read(buffer.clear(), at));
        return length >= count;
    }

    /** A byte that {@link #has} has found; so are those of the others. */
    int u8(long at) {
        return bytes[(int) (at - first)] & 0xff;
    }

    int u16(long at) {
        return buffer.getShort((int) (at - first)) & 0xffff;
    }

    int u32(long at) {
        return buffer.getInt((int) (at - first));
    }

    long u64(long at) {
        return buffer.getLong((int) (at - first));
    }

    byte[] copy(long at, int count) {
        byte[] copy = new byte[count];
        System.arraycopy(bytes, (int) (at - first), copy, 0, count);
        return copy;
    }

    /**
     * Looks for a byte.
     *
     * @param value other than zero: none stands in a hole
     * @return where it stands; {@code limit} if the file has none before
     */
    long find(int value, long at, long limit) throws IOException {
        while (at < limit) {
            if (at >= first + length) at = file.nextData(at);
            if (at >= limit || !has(at, 1)) return limit;
            int to = (int) Math.min(length, limit - first);
            for (int i = (int) (at - first); i < to; i++) {
                if (bytes[i] == value) return first + i;
            }
            at = first + to;
        }
        return limit;
    }
}
