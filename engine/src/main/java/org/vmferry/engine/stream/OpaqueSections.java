package org.vmferry.engine.stream;

import org.slf4j.Logger;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Sections of a machine that this host does not know, in the order of the stream, RAM's among them.
 * The payload of a FULL section carries no length, so they are taken in whole, up to what follows
 * them, and cut when all has come: with the VMDESCRIPTION (rules STR-9, STR-10), or because they
 * can be read in one way only (STR-13). What goes on while the guest runs tells its own end
 * (STR-20).
 *
 * <p>A payload may hold any bytes, those of a footer and an end too: an end counts at once only if
 * the VMDESCRIPTION behind it cuts exactly what came before it. All else is decided when nothing
 * more comes.
 */
final class OpaqueSections implements AutoCloseable {
    /** {@link #read} has come to the stream's end. */
    static final int ENDED = -1;

    /** Answers a PING. */
    interface Pings {
        void answer(int number) throws IOException;
    }

    /** Knows what else than FULL sections may stand in the stream now. */
    interface Around {
        /**
         * Whether a part begins that needs no cutting.
         *
         * @param mark was just read, behind a footer; nothing of what follows it was
         */
        boolean begins(int mark, StreamIn in) throws IOException;

        /** Which ends the stream may have here. */
        Ends ends();
    }

    /** Which ends a stream may have. */
    enum Ends {
        /** None: RAM was announced, and nothing of it has come. */
        NONE,
        /** RAM has not begun: only if nothing comes behind it. */
        LATE,
        /** Any. */
        ANY
    }

    /** What stands in the stream can't be told apart. */
    static final class Uncut extends MigrationException {
        private static final long serialVersionUID = 1;

        Uncut(String why) {
            super(Blame.PEER, why);
        }
    }

    /** A section that has begun and goes on while the guest runs. */
    record Open(int id, String name, int instance, int version, Grammar grammar) {
        String title() {
            return "section '%s' instance %d".formatted(name, Integer.toUnsignedLong(instance));
        }
    }

    /** An EOF with a VMDESCRIPTION behind it, and why that does not fit; null if it does. */
    private record Described(long eof, long end, MigrationException why) {}

    private static final Logger LOG = Log.of(OpaqueSections.class);
    private static final int FOOTER = Divisions.FOOTER;
    private static final long REFUSE_MS = 10_000;

    private static final byte[] TRAILER = "vmferry 1\n".getBytes(StandardCharsets.UTF_8);

    /** Each takes up to {@link VmDescription#LONGEST} bytes to find out. */
    private static final int MOST_FALSE_ENDS = 16;

    /** Ends whose VMDESCRIPTION has begun, but is not whole. */
    private static final int MOST_OPEN_ENDS = 1 << 16;

    private static final int MOST_NOTES = 16;

    private final Session session;
    private final Pings pings;
    private final Around around;
    private final Divisions divisions = new Divisions();
    private final Tape tape;
    private final TakenSections taken;
    private final List<Cutter.Stretch> stretches = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final NavigableMap<Long, List<Long>> described = new TreeMap<>();
    private final List<Described> ends = new ArrayList<>();
    private Divisions.Boundary last; // of the stretches before
    private int openEnds;
    private long tooLong = -1; // an EOF, if more stands behind it than is read of a VMDESCRIPTION
    private long base; // where the stretch begins that is read
    private byte[] json;
    private long end;

    /**
     * None yet.
     *
     * @param scratch where they may lie meanwhile
     */
    OpaqueSections(Session session, Pings pings, Around around, Path scratch) {
        tape = new Tape(scratch);
        taken = new TakenSections(tape);
        this.session = session;
        this.pings = pings;
        this.around = around;
    }

    /** It ends as the only reading has it, which says where each FULL section stands. */
    void ends(FileStreamIn in, Readings.Reading reading) throws IOException {
        Readings.End last = reading.end();
        json = new byte[(int) (last.end() - last.eof() - 6)];
        in.seek(last.end() - json.length);
        in.bytes(MemorySegment.ofArray(json));
        end = last.end();
        taken.cut(reading);
        note(
                "%s: nothing is known of what is in them; the file can be read in one way only, and"
                                .formatted(names(reading))
                        + " they are carried as they are");
    }

    private static String names(Readings.Reading reading) {
        return reading.heads().values().stream()
                .map(head -> "'" + head.name() + "' " + Integer.toUnsignedLong(head.instance()))
                .sorted()
                .distinct()
                .collect(Collectors.joining(", ", "unknown sections ", ""));
    }

    /** Takes what tells its own end, RAM's places, and what a reading of the whole has found. */
    TakenSections taken() {
        return taken;
    }

    /**
     * Reads on from a FULL mark that was just read.
     *
     * @return the mark of the part that follows, which was read, too; or {@link #ENDED}
     * @throws Uncut if what came can't be told apart, and nothing more comes
     */
    int read(StreamIn in) throws IOException {
        base = tape.length();
        tape.begin(in.position() - 1);
        tape.append(Wire.FULL);
        divisions.begin(base, last);
        Ends possible = around.ends();
        Divisions.Boundary eof = null; // before EOF, if nothing comes behind
        for (long at = base + 1; ; at++) {
            divisions.next(tape, at);
            for (long each : endsAt(at)) if (describes(each, at, possible)) return ENDED;
            Divisions.Boundary here = divisions.here();
            if (at == tape.length() && in.isDry() && over(in, here, eof)) return ENDED;
            if (at - base == Tape.LONGEST_PIECE) throw endless();
            int mark = tape.at(in, at);
            eof = null;
            if (here == null) continue;
            if (around.begins(mark, in)) {
                last = here;
                tape.cutAt(at);
                described.clear(); // whatever looked like ends was none
                tooLong = -1;
                ends.clear();
                openEnds = 0;
                stretches.add(new Cutter.Stretch(base, at));
                taken.full(base, at);
                return mark;
            }
            if (mark == Wire.EOF && possible != Ends.NONE) {
                if (in instanceof FileStreamIn && !here.several() && trailerFollows(in, at)) {
                    endsUndescribed(here);
                    return ENDED;
                }
                eof = here;
                described.computeIfAbsent(at + 7, k -> new ArrayList<>()).add(at);
            }
        }
    }

    /**
     * Looks at the ends that may be told now.
     *
     * @return those whose VMDESCRIPTION would be whole
     */
    private List<Long> endsAt(long at) throws MigrationException {
        if (described.isEmpty() || described.firstKey() > at) return List.of();
        List<Long> whole = new ArrayList<>();
        for (long eof : described.pollFirstEntry().getValue()) {
            if (at > eof + 7) {
                openEnds--;
                whole.add(eof);
            } else if (tape.get(eof + 1) == Wire.VMDESCRIPTION && tape.get(eof + 6) == '{') {
                int size = tape.u32(eof + 2);
                if (size > VmDescription.LONGEST) tooLong = eof;
                if (size < 2 || size > VmDescription.LONGEST) continue;
                if (++openEnds > MOST_OPEN_ENDS) {
                    throw MigrationException.peer(
                            "over %d VMDESCRIPTIONs seem to begin before %d",
                            MOST_OPEN_ENDS, tape.position(at));
                }
                described.computeIfAbsent(eof + 6 + size, k -> new ArrayList<>()).add(eof);
            }
        }
        return whole;
    }

    private boolean describes(long eof, long at, Ends possible) throws MigrationException {
        MigrationException why = null;
        try {
            List<Divisions.Cut> cuts = cutter(eof).byLength(description(eof, at));
            if (possible == Ends.ANY) {
                ends(cuts, eof, at);
                return true;
            }
        } catch (MigrationException e) {
            why = e;
        }
        ends.add(new Described(eof, at, why));
        if (ends.size() > MOST_FALSE_ENDS) {
            throw uncut(why == null ? "it seems to end in many places" : why.getMessage());
        }
        return false;
    }

    private VmDescription description(long eof, long end) throws MigrationException {
        return VmDescription.parse(tape.copy(eof + 6, end));
    }

    private Cutter cutter(long eof) {
        List<Cutter.Stretch> all = new ArrayList<>(stretches);
        all.add(new Cutter.Stretch(base, eof));
        return new Cutter(tape, all);
    }

    /**
     * All that has come was looked at. What may be the end is, if nothing comes for a while, or the
     * stream ends.
     *
     * @param here the boundary there, or null
     * @param eof the boundary before the last byte, if that is 0x00; else null
     */
    private boolean over(StreamIn in, Divisions.Boundary here, Divisions.Boundary eof)
            throws IOException {
        if (here != null && here.ping()) {
            // Whether it was one is known only at the end; a wrong answer harms nobody.
            pings.answer(tape.u32(here.at() - 4));
        }
        long at = tape.length();
        boolean footer =
                at >= base + 6 && tape.get(at - 1) == Wire.EOF && tape.get(at - 6) == Wire.FOOTER;
        if (in instanceof FileStreamIn) {
            if (!in.atEnd()) return false;
            if (tooLong >= 0 && tooLong + 6 + tape.u32(tooLong + 2) == at) {
                throw uncut(
                        "the VMDESCRIPTION at %d has %d bytes, allowed are %d"
                                .formatted(
                                        tape.position(tooLong + 1),
                                        Integer.toUnsignedLong(tape.u32(tooLong + 2)),
                                        VmDescription.LONGEST));
            }
            if (eof == null && ends.isEmpty() && !footer && !descriptionEnds(at)) return false;
        } else {
            if (eof == null && !footer && tape.get(at - 1) != '}') return false;
            boolean fits = eof != null && !eof.several() || eof == null && describedTo(at);
            long silence = session.current(EngineOptions.SILENCE_TIMEOUT);
            long patience = silence == 0 ? REFUSE_MS : Math.min(silence, REFUSE_MS);
            if (fits) patience = session.options().get(EngineOptions.EOF_SILENCE);
            if (in.comes(patience) && !in.atEnd()) return false; // a byte takes it back
            if (eof == null && !footer && !descriptionEnds(at)) return false;
        }
        return decide(eof);
    }

    /** Whether a VMDESCRIPTION behind a possible EOF ends here. */
    private boolean describedTo(long at) {
        return !ends.isEmpty() && ends.getLast().end == at;
    }

    /** Whether what came last has the shape of a VMDESCRIPTION, whatever stands before it. */
    private boolean descriptionEnds(long at) throws MigrationException {
        long least = Math.max(base, at - 6 - VmDescription.LONGEST);
        for (long eof = at - 8; eof >= least; eof--) {
            if (tape.get(eof) == Wire.EOF
                    && tape.get(eof + 1) == Wire.VMDESCRIPTION
                    && tape.get(eof + 6) == '{'
                    && tape.u32(eof + 2) == at - eof - 6) {
                return true;
            }
        }
        return false;
    }

    /** Nothing more comes: takes the one reading that there is. */
    private boolean decide(Divisions.Boundary eof) throws MigrationException {
        String why = null;
        int readings = 0;
        List<Divisions.Cut> found = null;
        Described foundAt = null;
        if (eof != null) {
            readings = eof.several() ? 2 : 1;
            if (eof.several()) {
                why =
                        "the stream ends at %d without a VMDESCRIPTION, and they can be read in"
                                + " several ways; is suppress-vmdesc on at the source?";
                why = why.formatted(tape.position(eof.at()));
            }
        }
        for (Described each : ends) {
            try {
                var cuts = cutter(each.eof).byName(description(each.eof, each.end));
                if (cuts.isEmpty()) {
                    if (why == null) why = each.why.getMessage();
                    continue;
                }
                readings++;
                found = cuts.get();
                foundAt = each;
            } catch (MigrationException e) {
                why = e.getMessage() + (each.why == null ? "" : "; " + each.why.getMessage());
            }
        }
        if (readings > 1 && why == null) why = "they seem to end in several places";
        if (readings != 1) throw uncut(why == null ? unexplained() : why);
        if (found == null) {
            endsUndescribed(eof);
        } else {
            tellWrong(found, foundAt);
            ends(found, foundAt.eof, foundAt.end);
        }
        return true;
    }

    private void tellWrong(List<Divisions.Cut> cuts, Described at) throws Uncut {
        List<VmDescription.Device> devices;
        try {
            devices = description(at.eof, at.end).devices();
        } catch (MigrationException e) {
            throw uncut(e.getMessage());
        }
        for (int i = 0; i < cuts.size(); i++) {
            long length = cuts.get(i).end() - cuts.get(i).payload();
            VmDescription.Device device = devices.get(i);
            if (device.length() == length) continue;
            note(
                    "VMDESCRIPTION gives device '%s' instance %d %d bytes, but it has %d"
                            .formatted(
                                    device.name(),
                                    Integer.toUnsignedLong(device.instance()),
                                    device.length(),
                                    length));
        }
    }

    /** Keeps what is odd. */
    void note(String what) {
        if (notes.size() < MOST_NOTES) notes.add(what);
        LOG.warn("{}: {}", session.name(), what);
    }

    private Uncut uncut(String why) {
        return new Uncut(
                "the device sections from %d on can't be told apart: %s"
                        .formatted(tape.position(0), why));
    }

    /** What stands behind the last section that was told apart. */
    private String unexplained() throws MigrationException {
        Divisions.Boundary furthest = divisions.furthest();
        long at = furthest.at();
        long position = tape.position(at - 1) + 1;
        String behind = furthest.last() == null ? "" : ", behind " + title(furthest.last().start());
        if (at >= tape.length()) return "nothing stands at %d%s".formatted(position, behind);
        int mark = tape.get(at);
        boolean head = (mark == Wire.FULL || mark == Wire.START) && at + 6 < tape.length();
        return mark == Wire.FULL && head
                ? "%s at %d has no footer".formatted(title(at), position)
                : "mark 0x%02x stands at %d%s%s"
                        .formatted(mark & 0xff, position, head ? ", of " + title(at) : "", behind);
    }

    private String title(long start) throws MigrationException {
        long from = start + 6;
        long to = Math.min(tape.length(), from + (tape.get(start + 5) & 0xff));
        return "section '" + new String(tape.copy(from, to), StandardCharsets.UTF_8) + "'";
    }

    /** It ends there, in a way that is the only one. */
    private void endsUndescribed(Divisions.Boundary eof) {
        finish(Divisions.cuts(eof), eof.at());
        json = new byte[0];
        end = tape.position(eof.at()) + 1;
        note(
                "the stream ends at %d without a VMDESCRIPTION, so nothing names the devices' fields;"
                                .formatted(tape.position(eof.at()))
                        + " its sections can be read in one way only");
    }

    private void ends(List<Divisions.Cut> cuts, long eof, long behind) throws MigrationException {
        finish(cuts, eof);
        json = tape.copy(eof + 6, behind);
        end = tape.position(behind); // more may have been read for an end that was none
    }

    private void finish(List<Divisions.Cut> cuts, long eof) {
        taken.cut(cuts, base, eof);
    }

    private MigrationException endless() throws MigrationException {
        return MigrationException.peer(
                "the device sections from %d on are longer than %d bytes, or nothing tells where"
                        + " they end: %s",
                tape.position(base), Tape.LONGEST_PIECE, unexplained());
    }

    /** In a file the text behind the stream (rule TRL-1) tells where it ends. */
    private boolean trailerFollows(StreamIn in, long eof) throws IOException {
        for (int i = 0; i < TRAILER.length; i++) {
            if (tape.length() == eof + 1 + i && in.atEnd()) return false;
            if (tape.at(in, eof + 1 + i) != TRAILER[i]) return false;
        }
        return true;
    }

    /** The VMDESCRIPTION as it came; empty if none did. */
    byte[] description() {
        return json;
    }

    /** The first byte behind the stream. */
    long end() {
        return end;
    }

    /** What is odd about them, as sentences. */
    List<String> notes() {
        return List.copyOf(notes);
    }

    /** Forgets what was taken. */
    @Override
    public void close() throws MigrationException {
        tape.close();
    }
}
