package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What was taken of a stream and is to be cut later: bytes of several places of it, one behind
 * another.
 */
final class Tape {
    /** The most bytes that are kept. */
    static final int LONGEST = 256 << 20;

    private final NavigableMap<Integer, Long> places = new TreeMap<>(); // by index: where it stood
    private byte[] bytes = new byte[1 << 16];
    private int length;

    /** What is appended from here on stood at another place of the stream. */
    void begin(long position) {
        places.put(length, position);
    }

    int length() {
        return length;
    }

    /** Those that there are, and room behind them; until more are appended. */
    byte[] bytes() {
        return bytes;
    }

    int u32(int index) {
        return ByteBuffer.wrap(bytes).getInt(index);
    }

    ByteBuffer slice(int from, int to) {
        return ByteBuffer.wrap(bytes).slice(from, to - from).asReadOnlyBuffer();
    }

    /** Where a byte stood in the stream. */
    long position(int index) {
        var place = places.floorEntry(index);
        return place == null ? index : place.getValue() + (index - place.getKey());
    }

    void append(int value) throws MigrationException {
        if (length == bytes.length) grow();
        bytes[length++] = (byte) value;
    }

    private void grow() throws MigrationException {
        if (length >= LONGEST) {
            throw MigrationException.peer(
                    "the device sections from %d on are longer than %d bytes, or nothing tells"
                            + " where they end",
                    position(0), LONGEST);
        }
        bytes = Arrays.copyOf(bytes, length * 2);
    }

    /** A byte, which is read if it was not yet. */
    int at(StreamIn in, int index) throws IOException {
        while (length <= index) append(in.u8());
        return bytes[index] & 0xff;
    }

    /** Forgets what stands behind. */
    void cutAt(int index) {
        length = index;
    }
}
