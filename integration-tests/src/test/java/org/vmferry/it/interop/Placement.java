package org.vmferry.it.interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A part of the memory that a machine's CPU sees, as "info mtree -f" tells it.
 *
 * @param address the guest-physical address
 * @param length in bytes
 * @param writable whether it is RAM
 * @param region whose memory it is; a RAM block's name ends with it
 * @param offset within the region, in bytes
 */
record Placement(long address, long length, boolean writable, String region, long offset) {
    private static final Pattern RANGE =
            Pattern.compile(
                    "  ([0-9a-f]{16})-([0-9a-f]{16}) \\(prio -?\\d+, (ram|rom)\\): (\\S+)"
                            + "(?: @([0-9a-f]{16}))?\\s*");

    /** Those of the view "memory". */
    static List<Placement> of(String tree) {
        List<Placement> all = new ArrayList<>();
        boolean here = false;
        for (String line : tree.lines().toList()) {
            if (line.startsWith("FlatView")) here = false;
            if (line.startsWith(" AS \"memory\",")) here = true;
            Matcher range = RANGE.matcher(line);
            if (here && range.matches()) all.add(of(range));
        }
        return all;
    }

    private static Placement of(Matcher range) {
        long from = Long.parseUnsignedLong(range.group(1), 16);
        long last = Long.parseUnsignedLong(range.group(2), 16);
        String offset = range.group(5);
        return new Placement(
                from,
                last - from + 1,
                range.group(3).equals("ram"),
                range.group(4),
                offset == null ? 0 : Long.parseUnsignedLong(offset, 16));
    }

    /** The RAM block whose memory it is; null if none is, or several may be. */
    String block(Set<String> blocks) {
        List<String> ours =
                blocks.stream()
                        .filter(name -> name.equals(region) || name.endsWith("/" + region))
                        .toList();
        return ours.size() == 1 ? ours.getFirst() : null;
    }
}
