package org.vmferry.engine.stream;

import java.io.IOException;

/**
 * The storage attributes of an s390x machine: u64s whose low 12 bits say what they are. More
 * attributes are followed by u64 length and so many bytes; the end mark ends a payload, and so does
 * "done" unless the end mark follows it.
 */
final class StorageAttributes implements Grammar {
    static final String NAME = "s390-storage_attributes";
    private static final int FLAGS = 0xfff;
    private static final int END = 1, MORE = 2, DONE = 8;

    @Override
    public void read(Payload in, int mark) throws IOException {
        while (true) {
            int flags = (int) in.u64() & FLAGS;
            switch (flags) {
                case END -> {
                    return;
                }
                case MORE -> in.skip(in.u64(), "the length of attributes");
                case DONE -> {
                    // A word of this section begins with the high byte of an address.
                    if (in.next() == Wire.FOOTER) return;
                }
                default -> throw in.wrong("a word's flags", "" + flags, "1, 2 or 8");
            }
        }
    }
}
