package org.vmferry.engine.migration;

import org.vmferry.engine.report.Inspection;
import org.vmferry.engine.report.Inspection.Range;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Where a guest sees its RAM, as far as a snapshot of a QEMU tells. The stream itself does not: its
 * guest addresses (x-ignore-shared) count from the memory region around the block. DIMMs have no
 * section, so where they are is not known.
 */
final class GuestPlaces {
    private static final long LOW_END = 1L << 32;
    private static final long STEP = 64 << 10; // bytes, in which a PC's CMOS counts

    /** On an AMD a PC's RAM above 4 GiB moves up if it came behind this. */
    private static final long HOLE = 0xfd_0000_0000L;

    private static final String CMOS = "mc146818rtc";
    private static final String VIRTIO_MEM = "/virtio-mem-device-early";

    /** Boards with one block of RAM, by its name. */
    private static final Map<String, Long> BOARDS =
            Map.of(
                    "mach-virt.ram", 0x4000_0000L,
                    "riscv_virt_board.ram", 0x8000_0000L,
                    "m68k_virt.ram", 0L,
                    "s390.ram", 0L);

    private final String machine;
    private final List<ByteBuffer> cmos = new ArrayList<>();
    private final Map<Long, List<Long>> plugged = new HashMap<>(); // addresses by length
    private final Map<Long, Integer> blocks = new HashMap<>(); // how many there are of a length

    /**
     * Of one snapshot.
     *
     * @param sections those that were needed, and others
     * @param lengths of all its blocks, in bytes
     */
    GuestPlaces(
            String machine, Map<Inspection.Device, ByteBuffer> sections, Collection<Long> lengths) {
        this.machine = machine;
        for (long length : lengths) blocks.merge(length, 1, Integer::sum);
        sections.forEach(
                (device, payload) -> {
                    if (device.name().equals(CMOS) && payload.remaining() >= 128) cmos.add(payload);
                    if (device.name().endsWith(VIRTIO_MEM) && payload.remaining() >= 16) {
                        plugged.computeIfAbsent(payload.getLong(8), length -> new ArrayList<>())
                                .add(payload.getLong(0));
                    }
                });
    }

    /** Whether this device's section says something about RAM. */
    static boolean needs(Inspection.Device device) {
        boolean known = device.name().equals(CMOS) || device.name().endsWith(VIRTIO_MEM);
        return known && device.bytes() < 1 << 20;
    }

    /** Where a block is; empty if that can't be known. */
    List<Range> of(String block, long length) {
        Long board = BOARDS.get(block);
        if (board != null) return List.of(new Range(board, 0, length));
        return switch (block) {
            case "pc.ram" -> split(length, belowHole(length), LOW_END);
            case "microvm.ram" -> split(length, Math.min(length, 0xc000_0000L), LOW_END);
            case "loongarch.ram" -> split(length, Math.min(length, 0x1000_0000L), 0x8000_0000L);
            case "pc.bios" ->
                    length > LOW_END ? List.of() : List.of(new Range(LOW_END - length, 0, length));
            default -> pluggedIn(length);
        };
    }

    private static List<Range> split(long length, long low, long above) {
        if (low <= 0 || length - low > HOLE - above) return List.of();
        List<Range> ranges = new ArrayList<>();
        ranges.add(new Range(0, 0, low));
        if (length > low) ranges.add(new Range(above, low, length - low));
        return ranges;
    }

    /** How much of a PC's RAM lies below 4 GiB; 0 if that can't be known. */
    private long belowHole(long length) {
        for (ByteBuffer clock : cmos) {
            long low = (16 << 20) + STEP * (clock.get(0x34) & 0xff | (clock.get(0x35) & 0xff) << 8);
            long high = 0;
            for (int i = 0x5d; i >= 0x5b; i--) high = high << 8 | clock.get(i) & 0xff;
            // The guest may have written to it: it counts only where it makes up the block.
            if (low + STEP * high == length) return low;
        }
        if (machine.startsWith("pc-q35-")) return length < 0xb000_0000L ? length : 0x8000_0000L;
        if (machine.startsWith("pc-i440fx-")) return length < 0xe000_0000L ? length : 0xc000_0000L;
        return 0;
    }

    /** A virtio-mem device says where its memory is, but not which block that is. */
    private List<Range> pluggedIn(long length) {
        List<Long> addresses = plugged.getOrDefault(length, List.of());
        boolean only = addresses.size() == 1 && blocks.getOrDefault(length, 0) == 1;
        return only ? List.of(new Range(addresses.getFirst(), 0, length)) : List.of();
    }
}
