package org.vmferry.engine.stream;

import org.vmferry.engine.stream.Readings.End;
import org.vmferry.engine.stream.Readings.Head;
import org.vmferry.engine.stream.Readings.Passing;
import org.vmferry.engine.stream.Readings.Ram;
import org.vmferry.engine.stream.Readings.Step;
import org.vmferry.engine.stream.Readings.Ways;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Follows all ways from a file's front to one of its ends, at once. What is kept of a place is how
 * far it has come there (which RAM, how many devices) and the two ways with the most pages: so each
 * byte is looked at once, and whatever payloads imitate adds places ahead, of which there may be so
 * many. Where a payload may end is every footer with its number: its ways stay open up to the end.
 */
final class ReadingSearch {
    private static final int FOOTER = Divisions.FOOTER;
    private static final int MOST_NAME = 255;
    private static final int MOST_NUMBERS = 64;
    private static final int MOST_RAMS = 16;
    private static final int MOST_OPEN = 256;
    private static final int MOST_HERE = 64;
    private static final int MOST_AHEAD = 1 << 17;

    /** A guest that is saved for hours has some hundred thousand. */
    private static final int MOST_STEPS = 1 << 20;

    private static final int FLAGS = 0x3ff;

    /** Commands that a file may have: number and length. */
    private static final int SWITCHOVER = 11 << 16, ADVISE_EMPTY = 3 << 16, ADVISE = 3 << 16 | 16;

    private enum Kind {
        /** Sections have ended: a mark stands there. */
        BETWEEN,
        /** The payload of an unknown section begins. */
        PAYLOAD,
        /** A device's payload ends. */
        DEVICE,
        /** A RAM record begins; its ways end with the section that is read. */
        RECORD
    }

    /**
     * How far it has come somewhere.
     *
     * @param ram its index, once it has begun; -1 before
     * @param ended whether that has its END
     * @param device how many have come
     * @param mark of RAM's section that a record is in
     * @param id of the section that a payload is of
     * @param ways that lead there
     */
    private record Place(
            Kind kind, int ram, boolean ended, int device, int mark, int id, Ways ways) {
        boolean isAs(Place other) {
            return kind == other.kind
                    && ram == other.ram
                    && ended == other.ended
                    && device == other.device
                    && mark == other.mark
                    && id == other.id;
        }

        Place between(Ways now) {
            return new Place(Kind.BETWEEN, ram, ended, device, 0, 0, now);
        }
    }

    private final FileStreamIn in;
    private final Window window;
    private final Passing passing;
    private final boolean placed;
    private final End end;
    private final int pageSize;
    private final List<byte[]> names = new ArrayList<>();
    private final TreeMap<Long, List<Place>> ahead = new TreeMap<>();
    private final List<Place> open = new ArrayList<>();
    private final Map<Integer, Head> heads = new HashMap<>();
    private final List<Ram> rams = new ArrayList<>();
    private final Map<Integer, Ways> whole = new HashMap<>(); // by RAM
    private int places;
    private int steps;

    /** A search, as {@link Readings}. */
    ReadingSearch(
            Session session, FileStreamIn in, long from, Passing passing, boolean placed, End end)
            throws IOException {
        this.in = in;
        this.window = new Window(session, in.file(false));
        this.passing = passing;
        this.placed = placed;
        this.end = end;
        this.pageSize = end.description().pageSize();
        for (VmDescription.Device device : end.description().devices()) {
            names.add(device.name().getBytes(StandardCharsets.UTF_8));
        }
        Ways none = new Ways(new Step(null, null, from, 0));
        add(from, new Place(Kind.BETWEEN, -1, false, 0, 0, 0, none));
    }

    /** The unknown sections that were met in any way, by their number. */
    Map<Integer, Head> heads() {
        return heads;
    }

    /** Searches; the ways to the end that there are with each RAM. */
    Collection<Ways> follow() throws IOException {
        boolean possible =
                Integer.bitCount(pageSize) == 1
                        && pageSize >= StreamHeader.SMALLEST_PAGE
                        && pageSize <= StreamHeader.LARGEST_PAGE;
        for (long at = possible ? ahead.firstKey() : Long.MAX_VALUE; at <= end.eof(); ) {
            if (!ahead.isEmpty() && ahead.firstKey() == at) {
                List<Place> here = ahead.pollFirstEntry().getValue();
                places -= here.size();
                for (Place place : here) visit(place, at);
            }
            long next = ahead.isEmpty() ? Long.MAX_VALUE : ahead.firstKey();
            if (open.isEmpty()) {
                at = next;
                continue;
            }
            footer(at);
            next = ahead.isEmpty() ? Long.MAX_VALUE : ahead.firstKey();
            at = window.find(Wire.FOOTER, at + 1, Math.min(next, end.eof() + 1));
        }
        return whole.values();
    }

    private static MigrationException tooMany(String what, int most) {
        return MigrationException.peer("it can be read in too many ways: over %d %s", most, what);
    }

    private void add(long at, Place place) throws MigrationException {
        List<Place> there = ahead.computeIfAbsent(at, k -> new ArrayList<>(1));
        for (Place each : there) {
            if (each.isAs(place)) {
                each.ways.add(place.ways);
                return;
            }
        }
        if (there.size() == MOST_HERE) throw tooMany("at one place", MOST_HERE);
        if (++places > MOST_AHEAD) throw tooMany("at once", MOST_AHEAD);
        there.add(place);
    }

    private void visit(Place place, long at) throws IOException {
        switch (place.kind) {
            case BETWEEN -> between(place, at);
            case PAYLOAD -> open(place);
            case DEVICE -> deviceEnds(place, at);
            case RECORD -> record(place, at);
        }
    }

    private void open(Place place) throws MigrationException {
        for (Place each : open) {
            if (each.isAs(place)) {
                each.ways.add(place.ways);
                return;
            }
        }
        if (open.size() == MOST_OPEN) throw tooMany("unknown sections are open", MOST_OPEN);
        // What is added to it later must not be added to where it came from.
        open.add(place);
    }

    /** A payload of each that is open under its number may end here. */
    private void footer(long at) throws IOException {
        if (!window.has(at, FOOTER) || window.u8(at) != Wire.FOOTER) return;
        int id = window.u32(at + 1);
        for (Place each : open) {
            if (each.id == id) add(at + FOOTER, each.between(copy(each.ways)));
        }
    }

    private static Ways copy(Ways ways) {
        Ways copy = new Ways(ways.most());
        copy.add(ways.second());
        return copy;
    }

    /** What may begin behind sections. */
    private void between(Place place, long at) throws IOException {
        if (at == end.eof()) {
            // In RAM that has no END something may have swallowed it.
            if (!place.ended || place.device < names.size()) return;
            whole.merge(
                    place.ram,
                    place.ways,
                    (before, more) -> {
                        before.add(more);
                        return before;
                    });
            return;
        }
        if (!window.has(at, FOOTER)) return;
        switch (window.u8(at)) {
            case Wire.START -> start(place, at);
            case Wire.PART, Wire.END -> part(place, at);
            case Wire.FULL -> device(place, at);
            case Wire.COMMAND -> {
                int command = window.u32(at + 1);
                if (command == SWITCHOVER || command == ADVISE_EMPTY) {
                    add(at + 5, place.between(place.ways));
                } else if (command == ADVISE) {
                    add(at + 5 + (command & 0xffff), place.between(place.ways));
                }
            }
            default -> {}
        }
    }

    private void start(Place place, long at) throws IOException {
        if (!window.has(at, 6)) return;
        int id = window.u32(at + 1);
        int length = window.u8(at + 5);
        long payload = at + 6 + length + 8;
        if (length == 0 || !window.has(at, (int) (payload - at))) return;
        String name = new String(window.copy(at + 6, length), StandardCharsets.UTF_8);
        int instance = window.u32(payload - 8);
        int version = window.u32(payload - 4);
        if (name.equals(Wire.RAM)) {
            if (instance == 0 && version == Wire.RAM_VERSION && place.ram < 0) {
                ram(place, at, id, payload);
            }
            return;
        }
        if (heads.putIfAbsent(id, new Head(name, instance, version)) == null
                && heads.size() > MOST_NUMBERS) {
            throw tooMany("numbers of unknown sections", MOST_NUMBERS);
        }
        payload(place, payload, id);
    }

    private void payload(Place place, long at, int id) throws MigrationException {
        add(at, new Place(Kind.PAYLOAD, place.ram, place.ended, place.device, 0, id, place.ways));
    }

    private void ram(Place place, long at, int id, long payload) throws IOException {
        if (rams.size() == MOST_RAMS) throw tooMany("beginnings of RAM", MOST_RAMS);
        in.seek(payload);
        Map<String, Long> blocks;
        try {
            blocks = passing.blocks(in, pageSize);
        } catch (MigrationException e) {
            return; // none
        }
        Ram ram = new Ram(id, in.position(), blocks);
        rams.add(ram);
        records(place, Wire.START, rams.size() - 1, at, ram.records());
    }

    private void part(Place place, long at) throws IOException {
        int id = window.u32(at + 1);
        if (place.ram >= 0 && rams.get(place.ram).id() == id) {
            if (!place.ended) records(place, window.u8(at), place.ram, at, at + 5);
        } else if (heads.containsKey(id)) {
            payload(place, at + 5, id);
        }
    }

    /** RAM's records begin: each way takes a step that ends with them. */
    private void records(Place place, int mark, int ram, long start, long at) throws IOException {
        Ways within = new Ways(step(place.ways.most(), ram, start));
        if (place.ways.second() != null) within.add(step(place.ways.second(), ram, start));
        add(at, new Place(Kind.RECORD, ram, mark == Wire.END, place.device, mark, 0, within));
    }

    private Step step(Step before, int ram, long start) throws MigrationException {
        if (++steps > MOST_STEPS) throw tooMany("parts of RAM and devices", MOST_STEPS);
        return new Step(before, ram < 0 ? null : rams.get(ram), start, before.pages());
    }

    private void record(Place place, long at) throws IOException {
        if (!window.has(at, 8)) return;
        long word = window.u64(at);
        if (word == Wire.EOS) {
            sectionEnds(place, at + 8);
            return;
        }
        if (placed) return;
        if (word == Wire.MULTIFD_FLUSH) {
            touched(place, false);
            add(at + 8, place);
            return;
        }
        int flags = (int) (word & Math.min(FLAGS, pageSize - 1));
        long body = at + 8;
        if ((flags & Wire.CONTINUE) == 0) {
            if (!window.has(at, 9)) return;
            body += 1 + window.u8(at + 8);
        }
        int length;
        switch (flags & ~Wire.CONTINUE) {
            case Wire.ZERO -> length = 1;
            case Wire.PAGE -> length = pageSize;
            case Wire.XBZRLE -> {
                if (!window.has(at, (int) (body - at) + 3)) return;
                length = 3 + window.u16(body + 1);
            }
            default -> {
                return; // no record
            }
        }
        touched(place, (flags & Wire.XBZRLE) == 0);
        add(body + length, place);
    }

    private static void touched(Place place, boolean page) {
        for (Step step : both(place.ways)) step.record(page);
    }

    private void sectionEnds(Place place, long at) throws IOException {
        if (!footerOf(rams.get(place.ram).id(), at)) return;
        Ways behind = null;
        for (Step step : both(place.ways)) {
            step.endsAt(at + FOOTER);
            // A part without records makes no difference.
            Step way = place.mark == Wire.PART && !step.touches() ? step.before() : step;
            if (behind == null) behind = new Ways(way);
            else behind.add(way);
        }
        add(at + FOOTER, place.between(behind));
    }

    private static List<Step> both(Ways ways) {
        return ways.second() == null ? List.of(ways.most()) : List.of(ways.most(), ways.second());
    }

    private boolean footerOf(int id, long at) throws IOException {
        return window.has(at, FOOTER) && window.u8(at) == Wire.FOOTER && window.u32(at + 1) == id;
    }

    /** Only the one that is described next, and as long as described. */
    private void device(Place place, long at) throws IOException {
        if (place.device == names.size()) return;
        byte[] name = names.get(place.device);
        var described = end.description().devices().get(place.device);
        long payload = at + 6 + name.length + 8;
        if (name.length > MOST_NAME || !window.has(at, (int) (payload - at))) return;
        if (window.u8(at + 5) != name.length
                || !Arrays.equals(window.copy(at + 6, name.length), name)
                || window.u32(payload - 8) != described.instance()
                || described.length() > end.eof() - payload) return;
        int id = window.u32(at + 1);
        Ways within = new Ways(step(place.ways.most(), place.ram, at));
        if (place.ways.second() != null) within.add(step(place.ways.second(), place.ram, at));
        long foot = payload + described.length();
        add(foot, new Place(Kind.DEVICE, place.ram, place.ended, place.device + 1, 0, id, within));
    }

    private void deviceEnds(Place place, long at) throws IOException {
        if (!footerOf(place.id, at)) return;
        for (Step step : both(place.ways)) step.endsAt(at + FOOTER);
        add(at + FOOTER, place.between(place.ways));
    }
}
