package org.vmferry.engine.stream;

import org.vmferry.engine.transport.ScratchFile;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What was taken of a stream and is to be cut later: bytes of several places of it, one behind
 * another. The heap holds {@link #HELD} of them at the most; where there are more, all others lie
 * in a scratch file. Words are big-endian. Safe for one thread at a time.
 */
final class Tape implements AutoCloseable {
    /** The most bytes that are kept: the hash table of a pseries with 1 TiB of RAM, and again. */
    static final long LONGEST = 16L << 30;

    /** The most that may be one section's, or stand in one stretch that is to be cut. */
    static final int LONGEST_PIECE = Integer.MAX_VALUE;

    /** The most bytes that are in the heap. */
    static final int HELD = 16 << 20;

    private static final int BITS = 18;
    private static final int CHUNK = 1 << BITS; // bytes

    private final NavigableMap<Long, Long> places = new TreeMap<>(); // by index: where it stood
    private final Path folder;
    private final long longest;
    private final ArrayDeque<Integer> held = new ArrayDeque<>(); // the chunks in the heap
    private final BitSet unwritten = new BitSet(); // those that the file does not have as they are
    private byte[][] chunks = new byte[16][]; // null: in the file, or not come to yet
    private ScratchFile file;
    private long length;
    private long holes; // bytes that came out of them
    private long holesBefore; // of the stream's; -1 if others have read it since
    private int lastWritten = -1;

    /**
     * An empty one.
     *
     * @param folder where a scratch file may be made
     */
    Tape(Path folder) {
        this(folder, LONGEST);
    }

    /** One that keeps less. */
    Tape(Path folder, long longest) {
        this.folder = folder;
        this.longest = longest;
    }

    /** What is appended from here on stood at another place of the stream. */
    void begin(long position) {
        places.put(length, position);
        holesBefore = -1;
    }

    long length() {
        return length;
    }

    /** A byte that is there; -128 to 127. */
    byte get(long index) throws MigrationException {
        byte[] chunk = chunks[(int) (index >>> BITS)];
        if (chunk == null) chunk = chunk((int) (index >>> BITS));
        return chunk[(int) index & CHUNK - 1];
    }

    int u32(long index) throws MigrationException {
        int value = 0;
        for (int i = 0; i < Integer.BYTES; i++) value = value << 8 | get(index + i) & 0xff;
        return value;
    }

    /** A copy of some. */
    byte[] copy(long from, long to) throws MigrationException {
        byte[] copy = new byte[Math.toIntExact(to - from)];
        for (int done = 0; done < copy.length; ) {
            get(from + done);
            int at = (int) (from + done) & CHUNK - 1;
            int step = Math.min(CHUNK - at, copy.length - done);
            System.arraycopy(chunks[(int) (from + done >>> BITS)], at, copy, done, step);
            done += step;
        }
        return copy;
    }

    /**
     * Some of them, when nothing more is appended.
     *
     * @return read-only, and valid until this is closed; no bytes in the heap where there are many
     */
    ByteBuffer slice(long from, long to) throws MigrationException {
        if (file == null) return ByteBuffer.wrap(copy(from, to)).asReadOnlyBuffer();
        for (int chunk : held) write(chunk);
        return file.view(from, Math.toIntExact(to - from));
    }

    /** Where a byte stood in the stream. */
    long position(long index) {
        Map.Entry<Long, Long> place = places.floorEntry(index);
        return place == null ? index : place.getValue() + (index - place.getKey());
    }

    void append(int value) throws MigrationException {
        room()[(int) length++ & CHUNK - 1] = (byte) value;
    }

    /** Appends what the stream has next. */
    void append(StreamIn in, long bytes) throws IOException {
        for (long left = bytes; left > 0; ) {
            byte[] chunk = room();
            int at = (int) length & CHUNK - 1;
            int step = (int) Math.min(CHUNK - at, left);
            in.bytes(MemorySegment.ofArray(chunk).asSlice(at, step));
            countHoles(in);
            length += step;
            left -= step;
        }
    }

    /** The chunk that the next byte goes to. */
    private byte[] room() throws MigrationException {
        if (length >= longest) {
            throw MigrationException.peer(
                    "the sections from %d on are longer than %d bytes, which is all that is kept,"
                            + " or nothing tells where they end",
                    position(0), longest);
        }
        int index = (int) (length >>> BITS);
        if (index == chunks.length) chunks = Arrays.copyOf(chunks, 2 * index);
        unwritten.set(index);
        byte[] chunk = chunks[index];
        return chunk == null ? chunk(index) : chunk;
    }

    /** One that is not in the heap. */
    private byte[] chunk(int index) throws MigrationException {
        byte[] chunk;
        if (held.size() < HELD / CHUNK) {
            chunk = new byte[CHUNK];
        } else {
            int oldest = held.remove();
            write(oldest);
            chunk = chunks[oldest];
            chunks[oldest] = null;
            if (index <= lastWritten) {
                file.read(ByteBuffer.wrap(chunk), (long) index << BITS);
            }
        }
        held.add(index);
        chunks[index] = chunk;
        return chunk;
    }

    private void write(int index) throws MigrationException {
        if (!unwritten.get(index)) return;
        if (file == null) file = ScratchFile.in(folder);
        file.write(ByteBuffer.wrap(chunks[index]), (long) index << BITS);
        unwritten.clear(index);
        lastWritten = Math.max(lastWritten, index);
    }

    /** A byte, which is read if it was not yet. */
    int at(StreamIn in, long index) throws IOException {
        while (length <= index) {
            append(in.u8());
            countHoles(in);
        }
        return get(index) & 0xff;
    }

    /** A file of some KiB that says it is 8 TiB long shall cost no more than what it holds. */
    private void countHoles(StreamIn in) throws MigrationException {
        long now = in.holes();
        if (holesBefore >= 0) holes += now - holesBefore;
        holesBefore = now;
        if (holes > HELD) throw tooManyHoles(position(0));
    }

    /**
     * That more than {@link #HELD} bytes of sections are not in the file.
     *
     * @param from where these begin
     */
    static MigrationException tooManyHoles(long from) {
        return MigrationException.peer(
                "of the sections from %d on over %d bytes are holes in the file, and no machine has"
                        + " as much that is zero: the file was cut short and made longer again, or"
                        + " was copied in part (a whole file can be copied without holes, by"
                        + " cp --sparse=never)",
                from, HELD);
    }

    /** Forgets what stands behind. */
    void cutAt(long index) {
        length = index;
    }

    @Override
    public void close() throws MigrationException {
        if (file != null) file.close();
    }
}
