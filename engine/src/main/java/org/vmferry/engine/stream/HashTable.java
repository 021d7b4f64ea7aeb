package org.vmferry.engine.stream;

import java.io.IOException;

/**
 * The hash table of page translations of a pseries machine. START is u32, the size's logarithm;
 * PART and END are u32, then chunks of u32 index, u16 valid, u16 invalid and 16 bytes for each
 * valid entry, up to one of zeros. Where the guest has none the u32 is -1, and no chunk follows.
 */
final class HashTable implements Grammar {
    static final String NAME = "spapr/htab";
    private static final int ENTRY = 16; // bytes

    @Override
    public void read(Payload in, int mark) throws IOException {
        int word = in.u32();
        if (mark == Wire.START || word == -1) return;
        if (word != 0)
            throw in.wrong("the first word", Integer.toUnsignedString(word), "0 or 4294967295");
        while (true) {
            int index = in.u32();
            int valid = in.u16();
            int invalid = in.u16();
            if (index == 0 && valid == 0 && invalid == 0) return;
            in.skip((long) valid * ENTRY, "a chunk's number of valid entries");
        }
    }
}
