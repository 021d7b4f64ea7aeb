package org.vmferry.it.interop;

import org.vmferry.it.qemu.Qemu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A part of the memory that a machine's CPU sees, as "info mtree -f" tells it.
 *
 * @param view which of QEMU's views has it
 * @param address the guest-physical address
 * @param length in bytes
 * @param writable whether it is RAM
 * @param region whose memory it is; a RAM block's name ends with it
 * @param offset within the region, in bytes
 */
record Placement(
        String view, long address, long length, boolean writable, String region, long offset) {
    /** What pmemsave sees. */
    static final String MACHINE = "memory";

    /** What the first CPU sees; on M boards its memory is in no other view. */
    static final String CPU = "cpu-memory-0";

    /** What is longer is looked at in its first and its last bytes alone. */
    static final long WHOLE = 96 << 20;

    /** So many of them. */
    static final long END = 16 << 20;

    private static final Pattern RANGE =
            Pattern.compile(
                    "  ([0-9a-f]{16})-([0-9a-f]{16}) \\(prio -?\\d+, (ram|rom)\\): (\\S+)"
                            + "(?: @([0-9a-f]{16}))?\\s*");

    /** Those of the machine, or if it has none, of its first CPU. */
    static List<Placement> of(String tree) {
        List<Placement> machine = of(tree, MACHINE);
        return machine.isEmpty() ? of(tree, CPU) : machine;
    }

    private static List<Placement> of(String tree, String view) {
        List<Placement> all = new ArrayList<>();
        boolean here = false;
        for (String line : tree.lines().toList()) {
            if (line.startsWith("FlatView")) here = false;
            if (line.startsWith(" AS \"" + view + "\",")) here = true;
            Matcher range = RANGE.matcher(line);
            if (here && range.matches()) all.add(of(view, range));
        }
        return all;
    }

    private static Placement of(String view, Matcher range) {
        long from = Long.parseUnsignedLong(range.group(1), 16);
        long last = Long.parseUnsignedLong(range.group(2), 16);
        String offset = range.group(5);
        return new Placement(
                view,
                from,
                last - from + 1,
                range.group(3).equals("ram"),
                range.group(4),
                offset == null ? 0 : Long.parseUnsignedLong(offset, 16));
    }

    /** What of it is looked at. */
    Stream<Placement> looked() {
        return length <= WHOLE ? Stream.of(this) : Stream.of(part(0), part(length - END));
    }

    private Placement part(long from) {
        return new Placement(view, address + from, END, writable, region, offset + from);
    }

    /** The RAM block whose memory it is; null if none is, or several may be. */
    String block(Set<String> blocks) {
        List<String> ours =
                blocks.stream()
                        .filter(name -> name.equals(region) || name.endsWith("/" + region))
                        .toList();
        return ours.size() == 1 ? ours.getFirst() : null;
    }

    /** Has QEMU write what is there now. */
    void save(Qemu running, Path file) throws IOException {
        if (view.equals(MACHINE)) {
            running.saveMemory(address, length, file);
        } else {
            Map<String, Object> where =
                    Map.of("val", address, "size", length, "filename", file.toString());
            running.execute("memsave", where); // by the CPU, which has no MMU
        }
    }

    @Override
    public String toString() {
        return "%s at %#x".formatted(region, address);
    }
}
