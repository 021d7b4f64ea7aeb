package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Cuts FULL sections out of a tape with a description of them (rules STR-9, STR-10). */
final class Cutter {
    private static final int FOOTER = Divisions.FOOTER;

    /** What nothing but FULL sections, and PINGs between them, stands in. */
    record Stretch(long from, long to) {}

    /** How many bytes may be looked at to find the sections by name; or each four times. */
    private static final long MOST_LOOKS = 1 << 30;

    private final Tape tape;
    private final List<Stretch> stretches;
    private long looks;

    Cutter(Tape tape, List<Stretch> stretches) {
        this.tape = tape;
        this.stretches = stretches;
    }

    /** Where the next section begins or would; the end of the last stretch if there is none. */
    private long next(long at) throws MigrationException {
        for (int i = stretchOf(at); ; i++) {
            Stretch stretch = stretches.get(i);
            at = behindPings(Math.max(at, stretch.from), stretch.to);
            if (at < stretch.to || i == stretches.size() - 1) return at;
        }
    }

    private int stretchOf(long at) {
        int low = 0;
        for (int high = stretches.size() - 1; low < high; ) {
            int middle = (low + high) >>> 1;
            if (stretches.get(middle).to < at) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private Stretch holding(long at) {
        int index = stretchOf(at);
        // One that ends here is behind; what begins here is in the next.
        if (stretches.get(index).to == at && index + 1 < stretches.size()) index++;
        return stretches.get(index);
    }

    /** PINGs stand between sections, and are none (rule STR-6). */
    private long behindPings(long at, long end) throws MigrationException {
        while (at >= FOOTER && at + Divisions.PING <= end && Divisions.isPing(tape, at)) {
            at += Divisions.PING;
        }
        return at;
    }

    private long end() {
        return stretches.getLast().to;
    }

    private static int header(byte[] name) {
        return 1 + 4 + 1 + name.length + 4 + 4;
    }

    private boolean begins(long at, long end, byte[] name, int instance) throws MigrationException {
        if (at + header(name) > end) return false;
        return tape.get(at) == Wire.FULL
                && (tape.get(at + 5) & 0xff) == name.length
                && Arrays.equals(tape.copy(at + 6, at + 6 + name.length), name)
                && tape.u32(at + 6 + name.length) == instance;
    }

    /** As the described lengths have it, which must fit exactly. */
    List<Divisions.Cut> byLength(VmDescription description) throws MigrationException {
        List<Divisions.Cut> cuts = new ArrayList<>();
        long at = next(0);
        for (VmDescription.Device device : description.devices()) {
            byte[] name = device.name().getBytes(StandardCharsets.UTF_8);
            long end = holding(at).to;
            long footer = at + header(name) + device.length();
            if (footer + FOOTER > end) {
                throw MigrationException.peer(
                        "VMDESCRIPTION gives device '%s' %d bytes at %d, but its sections end at"
                                + " %d",
                        device.name(),
                        device.length(),
                        tape.position(at),
                        tape.position(end - 1) + 1);
            }
            if (!begins(at, end, name, device.instance())) {
                throw MigrationException.peer(
                        "at %d device '%s' instance %d should begin, as VMDESCRIPTION has it",
                        tape.position(at),
                        device.name(),
                        Integer.toUnsignedLong(device.instance()));
            }
            if (!footer(footer, tape.u32(at + 1))) {
                throw MigrationException.peer(
                        "device '%s' should end with its footer at %d, as VMDESCRIPTION has it",
                        device.name(), tape.position(footer));
            }
            cuts.add(new Divisions.Cut(at, at + header(name), footer));
            at = next(footer + FOOTER);
        }
        if (at != end()) {
            throw MigrationException.peer(
                    "%d bytes from %d on are in no device that VMDESCRIPTION names",
                    end() - at, tape.position(at));
        }
        return cuts;
    }

    private boolean footer(long at, int id) throws MigrationException {
        return tape.get(at) == Wire.FOOTER && tape.u32(at + 1) == id;
    }

    /** In how many ways sections end at a place, and the last of them in one. */
    private record Way(Way before, Divisions.Cut cut, boolean several) {
        List<Divisions.Cut> cuts() {
            List<Divisions.Cut> cuts = new ArrayList<>();
            for (Way way = this; way.cut != null; way = way.before) cuts.add(way.cut);
            return cuts.reversed();
        }
    }

    /**
     * Where a QEMU has described a device's length wrongly: in the one way in which the named
     * devices follow each other with their footers, whatever lengths they have.
     *
     * @return nothing if there is none
     * @throws MigrationException if there are several, or too much would have to be tried
     */
    Optional<List<Divisions.Cut>> byName(VmDescription description) throws MigrationException {
        Map<Long, Way> ways = Map.of(next(0), new Way(null, null, false));
        List<VmDescription.Device> devices = description.devices();
        for (int i = 0; i < devices.size(); i++) {
            VmDescription.Device following = i + 1 < devices.size() ? devices.get(i + 1) : null;
            ways = behind(ways, devices.get(i), following);
            if (ways.isEmpty()) return Optional.empty();
        }
        Way way = ways.get(end());
        if (way == null) return Optional.empty();
        if (way.several) {
            throw MigrationException.peer(
                    "the devices that VMDESCRIPTION names can be found in several ways");
        }
        return Optional.of(way.cuts());
    }

    /** Where a device may end, if it begins where others end and what follows it does there. */
    private Map<Long, Way> behind(
            Map<Long, Way> ways, VmDescription.Device device, VmDescription.Device following)
            throws MigrationException {
        byte[] name = device.name().getBytes(StandardCharsets.UTF_8);
        byte[] then = following == null ? null : following.name().getBytes(StandardCharsets.UTF_8);
        Map<Long, Way> behind = new LinkedHashMap<>();
        for (Map.Entry<Long, Way> each : ways.entrySet()) {
            long at = each.getKey();
            Way before = each.getValue();
            long end = holding(at).to;
            if (!begins(at, end, name, device.instance())) continue;
            int id = tape.u32(at + 1);
            for (long footer = at + header(name); footer + FOOTER <= end; footer++) {
                if (!footer(footer, id)) continue;
                long next = next(footer + FOOTER);
                boolean fits =
                        following == null
                                ? next == end()
                                : begins(next, holding(next).to, then, following.instance());
                if (!fits) continue;
                boolean several = before.several || behind.containsKey(next);
                var cut = new Divisions.Cut(at, at + header(name), footer);
                behind.put(next, new Way(before, cut, several));
            }
            looks += end - at;
            if (looks > Math.max(MOST_LOOKS, 4 * tape.length())) {
                throw MigrationException.peer(
                        "the devices that VMDESCRIPTION names begin in too many places");
            }
        }
        return behind;
    }
}
