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
    record Stretch(int from, int to) {}

    /** How often a byte may be looked at, on average, to find the sections by name. */
    private static final int MOST_LOOKS = 4;

    private final Tape tape;
    private final List<Stretch> stretches;
    private long looks;

    Cutter(Tape tape, List<Stretch> stretches) {
        this.tape = tape;
        this.stretches = stretches;
    }

    /** Where the next section begins or would; the end of the last stretch if there is none. */
    private int next(int at) {
        for (int i = stretchOf(at); ; i++) {
            Stretch stretch = stretches.get(i);
            at = behindPings(Math.max(at, stretch.from), stretch.to);
            if (at < stretch.to || i == stretches.size() - 1) return at;
        }
    }

    private int stretchOf(int at) {
        int low = 0;
        for (int high = stretches.size() - 1; low < high; ) {
            int middle = (low + high) >>> 1;
            if (stretches.get(middle).to < at) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private Stretch holding(int at) {
        int index = stretchOf(at);
        // One that ends here is behind; what begins here is in the next.
        if (stretches.get(index).to == at && index + 1 < stretches.size()) index++;
        return stretches.get(index);
    }

    /** PINGs stand between sections, and are none (rule STR-6). */
    private int behindPings(int at, int end) {
        while (at >= FOOTER && at + Divisions.PING <= end && Divisions.isPing(tape.bytes(), at)) {
            at += Divisions.PING;
        }
        return at;
    }

    private int end() {
        return stretches.getLast().to;
    }

    private static int header(byte[] name) {
        return 1 + 4 + 1 + name.length + 4 + 4;
    }

    private boolean begins(int at, int end, byte[] name, int instance) {
        if (at + header(name) > end) return false;
        byte[] bytes = tape.bytes();
        return bytes[at] == Wire.FULL
                && (bytes[at + 5] & 0xff) == name.length
                && Arrays.equals(bytes, at + 6, at + 6 + name.length, name, 0, name.length)
                && tape.u32(at + 6 + name.length) == instance;
    }

    /** As the described lengths have it, which must fit exactly. */
    List<Divisions.Cut> byLength(VmDescription description) throws MigrationException {
        List<Divisions.Cut> cuts = new ArrayList<>();
        int at = next(0);
        for (VmDescription.Device device : description.devices()) {
            byte[] name = device.name().getBytes(StandardCharsets.UTF_8);
            int end = holding(at).to;
            long footer = (long) at + header(name) + device.length();
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
            if (!footer((int) footer, tape.u32(at + 1))) {
                throw MigrationException.peer(
                        "device '%s' should end with its footer at %d, as VMDESCRIPTION has it",
                        device.name(), tape.position((int) footer));
            }
            cuts.add(new Divisions.Cut(at, at + header(name), (int) footer));
            at = next((int) footer + FOOTER);
        }
        if (at != end()) {
            throw MigrationException.peer(
                    "%d bytes from %d on are in no device that VMDESCRIPTION names",
                    end() - at, tape.position(at));
        }
        return cuts;
    }

    private boolean footer(int at, int id) {
        return tape.bytes()[at] == Wire.FOOTER && tape.u32(at + 1) == id;
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
        Map<Integer, Way> ways = Map.of(next(0), new Way(null, null, false));
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
    private Map<Integer, Way> behind(
            Map<Integer, Way> ways, VmDescription.Device device, VmDescription.Device following)
            throws MigrationException {
        byte[] name = device.name().getBytes(StandardCharsets.UTF_8);
        byte[] then = following == null ? null : following.name().getBytes(StandardCharsets.UTF_8);
        Map<Integer, Way> behind = new LinkedHashMap<>();
        for (Map.Entry<Integer, Way> each : ways.entrySet()) {
            int at = each.getKey();
            Way before = each.getValue();
            int end = holding(at).to;
            if (!begins(at, end, name, device.instance())) continue;
            int id = tape.u32(at + 1);
            for (int footer = at + header(name); footer + FOOTER <= end; footer++) {
                if (!footer(footer, id)) continue;
                int next = next(footer + FOOTER);
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
            if (looks > (long) MOST_LOOKS * Tape.LONGEST) {
                throw MigrationException.peer(
                        "the devices that VMDESCRIPTION names begin in too many places");
            }
        }
        return behind;
    }
}
