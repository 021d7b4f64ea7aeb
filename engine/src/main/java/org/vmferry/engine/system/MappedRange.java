package org.vmferry.engine.system;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * A piece of this process's address space, as Linux tells it.
 *
 * @param from its first address
 * @param to behind its last
 * @param permissions as {@code rw-p}: p is private, s shared
 * @param offset of its first byte in what is mapped
 * @param device on which that is, as {@code fe:00}
 * @param inode 0 if no file is behind it
 * @param name of the file, or a word in brackets; empty if there is neither
 */
public record MappedRange(
        long from,
        long to,
        String permissions,
        long offset,
        String device,
        long inode,
        String name) {
    /**
     * All of them, in the order of their addresses.
     *
     * @throws IOException if the system does not tell
     */
    public static Stream<MappedRange> all() throws IOException {
        // Whoever named a file may have taken bytes that are no text.
        byte[] maps = Files.readAllBytes(Path.of("/proc/self/maps"));
        return new String(maps, StandardCharsets.UTF_8).lines().map(MappedRange::parse);
    }

    private static MappedRange parse(String line) {
        String[] fields = line.split(" ++", 6);
        int dash = fields[0].indexOf('-');
        return new MappedRange(
                Long.parseUnsignedLong(fields[0].substring(0, dash), 16),
                Long.parseUnsignedLong(fields[0].substring(dash + 1), 16),
                fields[1],
                Long.parseUnsignedLong(fields[2], 16),
                fields[3],
                Long.parseLong(fields[4]),
                fields.length < 6 ? "" : fields[5]);
    }

    /** Whether stores to it stay in this process. */
    public boolean isPrivate() {
        return permissions.endsWith("p");
    }

    /** Whether no file is behind it: absent pages are zero. */
    public boolean isAnonymous() {
        return inode == 0;
    }
}
