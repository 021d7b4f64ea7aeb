package org.vmferry.it.fuzz;

import java.util.List;

/**
 * What is tried.
 *
 * @param parts a file's bytes, or those of each connection, the main stream first
 * @param size how long a file says it is; what is not in its part is a hole
 */
record Input(List<byte[]> parts, long size) {
    Input(byte[]... parts) {
        this(List.of(parts), parts[0].length);
    }

    byte[] main() {
        return parts.getFirst();
    }

    /** The same, with another part. */
    Input with(int number, byte[] part) {
        List<byte[]> all = new java.util.ArrayList<>(parts);
        all.set(number, part);
        return new Input(List.copyOf(all), all.getFirst().length);
    }

    /** The same file, which says it is longer. */
    Input of(long longer) {
        return new Input(parts, Math.max(longer, main().length));
    }
}
