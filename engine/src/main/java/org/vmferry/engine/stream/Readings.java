package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * In how many ways a file can be read that has sections of which nobody knows where they end (rule
 * STR-24). A way is told from others by where RAM's sections and the devices stand; how what lies
 * between them belongs to unknown sections and their parts makes no difference, for it is carried
 * as it is.
 */
final class Readings {
    /**
     * RAM's START.
     *
     * @param id its section's number
     * @param records where they begin
     * @param blocks how many pages each block has that is to come as records
     */
    record Ram(int id, long records, Map<String, Long> blocks) {
        long pages() {
            return blocks.values().stream().mapToLong(Long::longValue).sum();
        }
    }

    /** How an unknown section begins. */
    record Head(String name, int instance, int version) {}

    /** One of RAM's sections, or a device. */
    static final class Step {
        private final Step before; // null before all
        private final Ram ram; // that has begun, this one too; null before
        private final long start;
        private long end;
        private long pages;
        private boolean touches; // RAM

        Step(Step before, Ram ram, long start, long pages) {
            this.before = before;
            this.ram = ram;
            this.start = start;
            this.pages = pages;
        }

        Step before() {
            return before;
        }

        Ram ram() {
            return ram;
        }

        /** Where its mark stands. */
        long start() {
            return start;
        }

        /** Behind its footer. */
        long end() {
            return end;
        }

        void endsAt(long at) {
            end = at;
        }

        /** Of RAM, those that came before too. */
        long pages() {
            return pages;
        }

        boolean touches() {
            return touches;
        }

        /** A record of RAM is in it. */
        void record(boolean page) {
            touches = true;
            if (page) pages++;
        }
    }

    /** An EOF and a VMDESCRIPTION. */
    record End(long eof, long end, VmDescription description) {}

    /** The two ways to a place in which most pages come; both have the same RAM. */
    static final class Ways {
        private Step most;
        private Step second;

        Ways(Step only) {
            most = only;
        }

        void add(Step way) {
            if (way == null || way == most || way == second) return;
            if (most == null || way.pages > most.pages) {
                second = most;
                most = way;
            } else if (second == null || way.pages > second.pages) {
                second = way;
            }
        }

        void add(Ways other) {
            add(other.most);
            add(other.second);
        }

        Step most() {
            return most;
        }

        /** Null if there is one way only. */
        Step second() {
            return second;
        }
    }

    /**
     * The only reading.
     *
     * @param steps in the stream's order
     * @param end of the stream
     * @param heads of the unknown sections, by their number
     */
    record Reading(List<Step> steps, End end, Map<Integer, Head> heads) {
        /** Index of the first step that stands at a place or behind it. */
        int next(long at) {
            int low = 0;
            for (int high = steps.size(); low < high; ) {
                int middle = (low + high) >>> 1;
                if (steps.get(middle).start < at) low = middle + 1;
                else high = middle;
            }
            return low;
        }

        /** The steps that stand at a place or behind it. */
        List<Step> from(long at) {
            return steps.subList(next(at), steps.size());
        }

        int ramNumber() {
            return steps.getLast().ram.id();
        }
    }

    /** Passes over RAM's START. */
    interface Passing {
        /**
         * Reads the list of blocks, and opens none.
         *
         * @param in behind the section's head; then before its first record
         * @return how many pages each block has, if they are to come as records
         */
        Map<String, Long> blocks(FileStreamIn in, int pageSize) throws IOException;
    }

    /**
     * Each takes up to {@link VmDescription#LONGEST} bytes to find out, and a pass if it is one.
     */
    private static final int MOST_LOOKS = 16;

    /** Numbers from here on are given to other sections when the machine is sent on. */
    static final int FIRST_FREE = 1 << 24;

    private final Session session;
    private final FileStreamIn in;
    private final long from;
    private final Passing passing;
    private final boolean placed;

    /**
     * Of a file.
     *
     * @param in another reader of it than the one that asks
     * @param from where the first section's mark stands
     * @param placed whether RAM's pages lie elsewhere in the file
     */
    Readings(Session session, FileStreamIn in, long from, Passing passing, boolean placed) {
        this.session = session;
        this.in = in;
        this.from = from;
        this.passing = passing;
        this.placed = placed;
    }

    /**
     * The only one.
     *
     * @param unknown where the first unknown section may begin
     * @throws MigrationException if there are more, or none
     */
    Reading only(long unknown) throws IOException {
        List<End> ends = ends(unknown);
        if (ends.isEmpty()) {
            throw MigrationException.peer("no VMDESCRIPTION behind it names the devices");
        }
        List<Found> all = new ArrayList<>();
        for (End end : ends) {
            var search = new ReadingSearch(session, in, from, passing, placed, end);
            for (Ways ways : search.follow()) {
                all.add(new Found(ways.most, end, search.heads()));
                if (ways.second != null) all.add(new Found(ways.second, end, search.heads()));
            }
        }
        if (all.isEmpty()) {
            throw MigrationException.peer(
                    "the file can be read in no way that fits its VMDESCRIPTION");
        }
        if (all.size() == 1) return reading(all.getFirst());
        // A part of RAM that is taken for payload leaves its pages out.
        List<Found> whole = all.stream().filter(Found::isWhole).toList();
        boolean only = whole.size() == 1 && !placed && hasEachPageOnce(whole.getFirst());
        if (only) return reading(whole.getFirst());
        throw MigrationException.peer(
                "the file can be read in several ways"
                        + (whole.isEmpty() ? ", and in none of them all pages of RAM come" : ""));
    }

    private record Found(Step last, End end, Map<Integer, Head> heads) {
        boolean isWhole() {
            return last.pages >= last.ram.pages();
        }
    }

    /** Else a part with pages that came before, or never otherwise, may be one or not. */
    private boolean hasEachPageOnce(Found found) throws IOException {
        int pageSize = found.end.description.pageSize();
        var pages = new EachPageOnce(new Window(session, in.file(false)), found.last.ram, pageSize);
        for (Step step : steps(found.last)) {
            session.check();
            if (step.touches && !pages.add(step)) return false;
        }
        return true;
    }

    private static List<Step> steps(Step last) {
        List<Step> steps = new ArrayList<>();
        for (Step each = last; each.before != null; each = each.before) steps.add(each);
        return steps.reversed();
    }

    private static Reading reading(Found found) throws MigrationException {
        List<Integer> numbers = new ArrayList<>(found.heads.keySet());
        numbers.add(found.last.ram.id());
        for (int number : numbers) {
            if (number >= 0 && number < FIRST_FREE) continue;
            throw MigrationException.peer(
                    "a section has number %d, allowed are those up to %d",
                    Integer.toUnsignedLong(number), FIRST_FREE - 1);
        }
        return new Reading(steps(found.last), found.end, found.heads);
    }

    /** All that have the form of an end. */
    private List<End> ends(long unknown) throws IOException {
        Window window = new Window(session, in.file(false));
        long size = in.file(false).size();
        List<End> ends = new ArrayList<>();
        int looks = 0;
        for (long at = unknown; ; at++) {
            at = window.find(Wire.FOOTER, at, size);
            if (at == size) return ends;
            if (!window.has(at, 12)) continue;
            long eof = at + Divisions.FOOTER;
            int length = window.u32(eof + 2);
            if (window.u8(eof) != Wire.EOF
                    || window.u8(eof + 1) != Wire.VMDESCRIPTION
                    || window.u8(eof + 6) != '{'
                    || length < 2
                    || length > VmDescription.LONGEST
                    || length > size - eof - 6) continue;
            if (++looks > MOST_LOOKS) {
                throw MigrationException.peer("over %d ends seem to stand in the file", MOST_LOOKS);
            }
            byte[] json = new byte[length];
            in.seek(eof + 6);
            in.bytes(MemorySegment.ofArray(json));
            try {
                ends.add(new End(eof, eof + 6 + length, VmDescription.parse(json)));
            } catch (MigrationException e) {
                continue; // no end
            }
        }
    }
}
