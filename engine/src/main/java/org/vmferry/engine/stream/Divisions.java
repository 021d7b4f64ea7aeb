package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * In which ways bytes divide into FULL sections with their footers, and PINGs between them. A
 * payload may hold any bytes, those of footers and sections too, so that there may be several. It
 * is fed byte by byte, and takes the same time for each.
 */
final class Divisions {
    static final int FOOTER = 5; // bytes
    private static final int HEAD = 1 + 4 + 1 + 4 + 4; // bytes, without the name
    static final int PING = 9; // bytes
    private static final long PING_COMMAND = 0x0800020004L;

    /** Real machines have some hundreds. */
    private static final int MOST = 1 << 20;

    /** A section that may begin at a place, if those before it end there. */
    static final class Candidate {
        private final long start;
        private final long payload;
        private final Boundary before;
        private final Candidate another; // that is open under this id

        private Candidate(long start, long payload, Boundary before, Candidate another) {
            this.start = start;
            this.payload = payload;
            this.before = before;
            this.another = another;
        }

        /** Index of its mark. */
        long start() {
            return start;
        }
    }

    /**
     * A place where a section, or a PING behind it, may end.
     *
     * @param at index of the byte behind it
     * @param end of the section; before the PING
     * @param last the section; null at the very beginning
     * @param several whether there are several ways to divide what comes before
     * @param ping whether a PING is the last
     */
    record Boundary(long at, long end, Candidate last, boolean several, boolean ping) {}

    /**
     * A section's place.
     *
     * @param start of its mark
     * @param payload where that begins
     * @param end of its payload, where its footer begins
     */
    record Cut(long start, long payload, long end) {}

    private final Map<Integer, Candidate> open = new HashMap<>();
    private final ArrayDeque<Boundary> recent = new ArrayDeque<>();
    private int opened;
    private Boundary here;
    private Boundary furthest;

    /** Sections may begin at this index, behind those that ended there. */
    void begin(long at, Boundary before) {
        open.clear();
        recent.clear();
        here =
                before == null
                        ? new Boundary(at, at, null, false, false)
                        : new Boundary(at, before.end(), before.last(), before.several(), false);
        recent.add(here);
        furthest = here;
    }

    /** The last boundary that was come to. */
    Boundary furthest() {
        return furthest;
    }

    /** The boundary at the index that was come to last; null if there is none. */
    Boundary here() {
        return here;
    }

    /**
     * Takes one byte more.
     *
     * @param bytes all that have come
     * @param at how many of them have come
     */
    void next(Tape bytes, long at) throws MigrationException {
        here = null;
        // Mostly there is none: no iterator is made for each byte.
        Iterator<Boundary> each =
                recent.isEmpty() ? Collections.emptyIterator() : recent.iterator();
        while (each.hasNext()) {
            Boundary boundary = each.next();
            long begin = boundary.at();
            if (at == begin + 6 && bytes.get(begin) == Wire.FULL) open(bytes, boundary);
            if (at < begin + PING) continue;
            if (at == begin + PING && isPing(bytes, begin)) {
                here = new Boundary(at, boundary.end(), boundary.last(), boundary.several(), true);
            }
            each.remove();
        }
        if (at >= FOOTER && bytes.get(at - FOOTER) == Wire.FOOTER) close(bytes, at);
        if (here == null) return;
        recent.add(here);
        furthest = here;
    }

    static boolean isPing(Tape bytes, long at) throws MigrationException {
        long five = 0;
        for (int i = 0; i < 5; i++) five = five << 8 | bytes.get(at + i) & 0xff;
        return five == PING_COMMAND;
    }

    private void open(Tape bytes, Boundary boundary) throws MigrationException {
        long start = boundary.at();
        int id = bytes.u32(start + 1);
        long payload = start + HEAD + (bytes.get(start + 5) & 0xff);
        if (++opened > MOST) {
            throw MigrationException.peer(
                    "what came may be over %d device sections: they can't be told apart", MOST);
        }
        open.put(id, new Candidate(start, payload, boundary, open.get(id)));
    }

    /** A footer ends here: of those that are open under its id, and whose head is whole. */
    private void close(Tape bytes, long at) throws MigrationException {
        int id = bytes.u32(at - 4);
        Candidate found = null;
        boolean several = false;
        for (Candidate each = open.get(id); each != null; each = each.another) {
            if (each.payload > at - FOOTER) continue;
            several |= found != null || each.before.several();
            found = each;
            if (several) break;
        }
        if (found != null) here = new Boundary(at, at, found, several, false);
    }

    /** The sections up to a boundary that is come to in one way only. */
    static List<Cut> cuts(Boundary boundary) {
        List<Cut> cuts = new ArrayList<>();
        for (Boundary each = boundary; each.last() != null; each = each.last().before) {
            cuts.add(new Cut(each.last().start, each.last().payload, each.end() - FOOTER));
        }
        return cuts.reversed();
    }
}
