package org.vmferry.engine.memory;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A piece of this process's address space, as /proc/self/maps tells it.
 *
 * @param from its first address
 * @param to behind its last
 * @param isPrivate whether stores to it stay in this process
 * @param isAnonymous whether no file is behind it: absent pages are zero
 */
record Mapping(long from, long to, boolean isPrivate, boolean isAnonymous) {
    /**
     * All that a range of addresses touches, in order.
     *
     * @throws IOException if the system does not tell
     */
    static List<Mapping> of(long from, long to) throws IOException {
        byte[] maps = Files.readAllBytes(Path.of("/proc/self/maps"));
        return Stream.of(new String(maps, StandardCharsets.ISO_8859_1).split("\n"))
                .map(Mapping::parse)
                .filter(mapping -> mapping.from < to && from < mapping.to)
                .toList();
    }

    /** A line: "addresses permissions offset device inode name". */
    private static Mapping parse(String line) {
        String[] fields = line.split(" ++", 6);
        int dash = fields[0].indexOf('-');
        return new Mapping(
                Long.parseUnsignedLong(fields[0].substring(0, dash), 16),
                Long.parseUnsignedLong(fields[0].substring(dash + 1), 16),
                fields[1].endsWith("p"),
                fields[4].equals("0"));
    }
}
