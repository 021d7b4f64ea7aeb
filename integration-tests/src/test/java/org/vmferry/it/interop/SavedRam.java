package org.vmferry.it.interop;

import org.vmferry.it.qemu.Qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the memory of a QEMU held, as QEMU itself wrote it.
 *
 * @param parts the files, by what they are of
 * @param blocks its RAM blocks, bytes by name, as "info ramblock" tells them
 */
record SavedRam(Map<Placement, Path> parts, Map<String, Long> blocks) {
    private static final int UNIT = 1024;
    private static final Pattern BLOCK =
            Pattern.compile("\\s*(\\S.*?)\\s+\\d+ [KMG]iB\\s+0x[0-9a-f]+\\s+0x([0-9a-f]+)\\s.*");

    /** Has it written, to files with this name's beginning. */
    static SavedRam of(Qemu running, List<Placement> looked, Path name) throws IOException {
        Map<Placement, Path> parts = new LinkedHashMap<>();
        for (Placement each : looked) {
            Path file = name.resolveSibling(name.getFileName() + "-" + parts.size());
            each.save(running, file);
            parts.put(each, file);
        }
        Map<String, Long> blocks = new HashMap<>();
        for (String line : BoardMemory.monitor(running, "info ramblock").lines().toList()) {
            Matcher block = BLOCK.matcher(line);
            if (block.matches()) blocks.put(block.group(1), Long.parseLong(block.group(2), 16));
        }
        return new SavedRam(parts, blocks);
    }

    /**
     * Compares a part with a file from this offset on.
     *
     * @return how many bytes were compared
     * @throws AssertionError if a byte differs; it says which
     */
    long compare(Placement what, Path with, long offset) throws IOException {
        try (FileChannel got = FileChannel.open(with);
                FileChannel want = FileChannel.open(parts.get(what))) {
            long length = want.size();
            if (length != what.length() || got.size() < offset + length) {
                throw new AssertionError(
                        "of %s QEMU saved %d bytes, and here are %d"
                                .formatted(what, length, got.size() - offset));
            }
            long at =
                    got.map(MapMode.READ_ONLY, offset, length)
                            .mismatch(want.map(MapMode.READ_ONLY, 0, length));
            if (at >= 0) {
                throw new AssertionError("%s differs from byte %d on".formatted(what, at));
            }
            return length;
        }
    }

    /** In words: of how many KiB of its RAM each is neither zero nor like another. */
    String filled() throws IOException {
        long all = 0;
        Set<ByteBuffer> seen = new HashSet<>();
        seen.add(ByteBuffer.allocate(UNIT));
        for (var part : parts.entrySet()) {
            if (!part.getKey().writable()) continue;
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(part.getValue()));
            for (int at = 0; at + UNIT <= bytes.limit(); at += UNIT, all++) {
                seen.add(bytes.slice(at, UNIT));
            }
        }
        return "%d of %d".formatted(seen.size() - 1, all);
    }

    /** Deletes the files. */
    void delete() throws IOException {
        for (Path file : parts.values()) Files.delete(file);
    }
}
