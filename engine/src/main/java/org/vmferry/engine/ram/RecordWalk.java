package org.vmferry.engine.ram;

import static org.vmferry.engine.stream.Wire.*;

import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.stream.StreamIn;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Asks RAM's records for the size of a page (rule STR-16): with each candidate they are walked, on
 * bytes that are still to be read, from data to data. A wrong one soon leads to what is no record.
 */
final class RecordWalk {
    /** The most that is looked at: zero pages of 3 GiB of 1 KiB take 27 MiB before any data. */
    static final int MOST = 32 << 20;

    /** After so many pages of data two candidates are left only by intent. */
    static final int MOST_DATA = 64;

    private final StreamIn in;
    private final boolean addresses;
    private final long silence;
    private final Map<String, Long> blocks = new HashMap<>();
    private ByteBuffer bytes;
    private boolean ended;
    private int first; // of the section's records
    private boolean othersGoOn;

    /**
     * A walk.
     *
     * @param in about to read START's block list
     * @param addresses whether each block has its guest address there
     * @param silence ms after which no more is waited for, once a candidate went on without
     */
    RecordWalk(StreamIn in, boolean addresses, long silence) {
        this.in = in;
        this.addresses = addresses;
        this.silence = silence;
    }

    /**
     * Walks.
     *
     * @return the one candidate that is left; empty if several are, or the first data is too far
     *     away; 0 if none is: the stream makes no sense
     */
    OptionalInt only() throws IOException {
        bytes = in.ahead(1);
        List<Walker> left = new ArrayList<>();
        long union = blockList();
        if (union < 0) return OptionalInt.of(0);
        for (int size = StreamHeader.SMALLEST_PAGE; size <= StreamHeader.LARGEST_PAGE; size <<= 1) {
            if (union % size == 0) left.add(new Walker(size));
        }
        for (int data = 0; data < MOST_DATA && !left.isEmpty(); data++) {
            othersGoOn = false;
            for (Walker walker : left) { // small pages first: they need fewer bytes
                walker.toNextData();
                othersGoOn |= !walker.wrong;
            }
            left.removeIf(walker -> walker.wrong);
            if (left.size() == 1) return OptionalInt.of(left.getFirst().size);
            if (left.stream().allMatch(walker -> walker.stopped)) break;
        }
        return left.isEmpty() ? OptionalInt.of(0) : OptionalInt.empty();
    }

    /** The blocks that are announced; none if there is no list that makes sense. */
    Set<String> blockNames() throws IOException {
        bytes = in.ahead(1);
        return blockList() < 0 ? Set.of() : blocks.keySet();
    }

    /** All lengths or-ed: what divides it divides each; -1 if there is no such list. */
    private long blockList() throws IOException {
        if (!has(8)) return -1;
        long total = bytes.getLong(0);
        if ((total & 0xff) != MEM_SIZE || total < 0) return -1;
        total -= MEM_SIZE;
        long union = total;
        int at = 8;
        for (long rest = total; rest > 0; ) {
            if (blocks.size() == RamSection.MOST_BLOCKS) return -1;
            String name = name(at);
            if (name == null) return -1;
            at += 1 + (bytes.get(at) & 0xff);
            int length = 8 + (addresses ? 8 : 0);
            if (!has(at + length)) return -1;
            long used = bytes.getLong(at);
            if (used <= 0 || used > rest || blocks.put(name, used) != null) return -1;
            union |= used;
            rest -= used;
            at += length;
        }
        first = at;
        return union;
    }

    private String name(int at) throws IOException {
        if (!has(at + 1)) return null;
        int length = bytes.get(at) & 0xff;
        if (length == 0 || !has(at + 1 + length)) return null;
        byte[] name = new byte[length];
        bytes.get(at + 1, name);
        return new String(name, StandardCharsets.UTF_8);
    }

    /** Whether so many bytes come. */
    private boolean has(int count) throws IOException {
        while (bytes.limit() < count && !ended && count <= MOST) {
            if (othersGoOn && !in.moreComes(silence)) return false;
            int before = bytes.limit();
            bytes = in.ahead(before + 1);
            ended = bytes.limit() == before;
        }
        return bytes.limit() >= count;
    }

    /** Reads the records as if pages had one size. */
    private final class Walker {
        private final int size;
        private final int flagBits;
        private int at = first;
        private String block; // of the record before, also across sections (rule RAM-4)
        private boolean wrong;
        private boolean stopped; // nothing more is to be learned

        Walker(int size) {
            this.size = size;
            this.flagBits = Math.min(InlineIn.FLAGS, size - 1);
        }

        /** To the next data and the record behind it, or to where it is known to be wrong. */
        void toNextData() throws IOException {
            boolean behindData = false;
            while (!wrong && !stopped) {
                boolean isData = record();
                if (behindData) return;
                behindData = isData;
            }
        }

        /** Reads one record; says whether it is of data. */
        private boolean record() throws IOException {
            if (!need(Long.BYTES)) return false;
            long word = bytes.getLong(at);
            long offset = word & ~(long) flagBits;
            int flags = (int) (word & flagBits);
            at += Long.BYTES;
            if (word == EOS) {
                nextPart();
                return false;
            }
            if (word == MULTIFD_FLUSH && flags == word) return false;
            int kind = flags & ~CONTINUE;
            if (kind != ZERO && kind != PAGE && kind != XBZRLE) return fails();
            if ((flags & CONTINUE) == 0) {
                String name = need(1) ? name(at) : null;
                if (name == null) return fails();
                at += 1 + (bytes.get(at) & 0xff);
                block = name;
            }
            Long used = block == null ? null : blocks.get(block);
            if (used == null || offset < 0 || offset % size != 0 || offset > used - size) {
                return fails();
            }
            if (kind == XBZRLE) return changes();
            int body = kind == ZERO ? 1 : size;
            if (!need(body)) return false;
            if (kind == ZERO && bytes.get(at) != 0) return fails();
            at += body;
            return kind == PAGE;
        }

        /** Rule RAM-11: as long with any page. */
        private boolean changes() throws IOException {
            if (!need(3)) return false;
            int length = bytes.getShort(at + 1) & 0xffff;
            if (bytes.get(at) != 1 || length > size) return fails();
            if (!need(3 + length)) return false;
            at += 3 + length;
            return false;
        }

        /** Behind an end mark: the footer, and the section's next part. What else comes, may. */
        private void nextPart() throws IOException {
            if (!need(6)) return;
            if (bytes.get(at) != FOOTER) {
                fails();
                return;
            }
            int id = bytes.getInt(at + 1);
            int mark = bytes.get(at + 5);
            if (mark != PART && mark != END) {
                stopped = true;
                return;
            }
            if (!need(10)) return;
            if (bytes.getInt(at + 6) != id) {
                stopped = true; // another section's part
                return;
            }
            at += 10;
        }

        private boolean need(int count) throws IOException {
            if (has(at + count)) return true;
            if (at + count > MOST) stopped = true; // far away is not wrong; what is cut short is
            else wrong = true;
            return false;
        }

        private boolean fails() {
            wrong = !stopped;
            return false;
        }
    }
}
