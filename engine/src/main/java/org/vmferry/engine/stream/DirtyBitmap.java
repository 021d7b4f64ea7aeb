package org.vmferry.engine.stream;

import java.io.IOException;

/**
 * The dirty bitmaps of a machine's disks: chunks that begin with their flags, up to one with the
 * end flag. Names stand where a flag says so, the node's before the bitmap's.
 */
final class DirtyBitmap implements Grammar {
    static final String NAME = "dirty-bitmap";
    private static final int END = 1, ZEROES = 2, BITMAP_NAME = 4, NODE_NAME = 8;
    private static final int START = 0x10, COMPLETE = 0x20, BITS = 0x40, MORE = 0x80;
    private static final int ALL = MORE - 1;

    @Override
    public void read(Payload in, int mark) throws IOException {
        while (true) {
            int flags = in.u8();
            // Longer flags have none that is known: what they would be followed by is not known.
            if ((flags & MORE) != 0) throw in.wrong("a chunk's flags", "" + flags, "0 to " + ALL);
            if ((flags & NODE_NAME) != 0) in.str8();
            if ((flags & BITMAP_NAME) != 0) in.str8();
            if ((flags & START) != 0) {
                in.u32(); // granularity
                in.u8(); // whether it is enabled, persistent
            } else if ((flags & BITS) != 0) {
                in.u64(); // the first sector
                in.u32(); // sectors
                if ((flags & ZEROES) == 0) in.skip(in.u64(), "the length of bits");
            } else if ((flags & (COMPLETE | END)) == 0) {
                throw in.wrong("a chunk's flags", "" + flags, "one of start, bits, complete, end");
            }
            if ((flags & END) != 0) return;
        }
    }
}
