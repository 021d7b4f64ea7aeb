package org.vmferry.engine.stream;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Session;
import org.vmferry.spi.machine.SectionStore.Section;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Device sections of a machine that this host does not know. Their payloads carry no length, so
 * they are taken in whole, up to the RAM section or the stream's end, and cut out with the
 * VMDESCRIPTION (rules STR-9, STR-10), which comes last.
 *
 * <p>A payload may hold any bytes, those of a footer and an end too: an end counts only if the
 * VMDESCRIPTION behind it cuts exactly what came before it. Where none comes, silence counts (rule
 * STR-13).
 */
final class OpaqueSections {
    /** Answers a PING. */
    interface Pings {
        void answer(int number) throws IOException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(OpaqueSections.class);
    private static final int LONGEST = 256 << 20;
    private static final int FOOTER = Divisions.FOOTER;
    private static final long SAY_MS = 20_000;
    private static final byte[] RAM_START = {
        3, 'r', 'a', 'm', 0, 0, 0, 0, 0, 0, 0, Wire.RAM_VERSION
    };

    private static final byte[] TRAILER = "vmferry 1\n".getBytes(StandardCharsets.UTF_8);

    /** Each takes up to {@link VmDescription#LONGEST} bytes to find out. */
    private static final int MOST_FALSE_ENDS = 16;

    /** Ends whose VMDESCRIPTION has begun, but is not whole. */
    private static final int MOST_OPEN_ENDS = 1 << 16;

    private final Session session;
    private final Pings pings;
    private final Divisions divisions = new Divisions();
    private Divisions.Boundary last; // of the sections before RAM
    private final NavigableMap<Integer, List<Integer>> described = new TreeMap<>();
    private int openEnds;
    private byte[] bytes = new byte[1 << 16];
    private int length;
    private int base; // where in the bytes the sections begin that stand together in the stream
    private long position; // of the base, in the stream
    private long before; // likewise, of the sections before RAM
    private int falseEnds;
    private int ramId;
    private long ramPosition;
    private byte[] json;
    private long end;
    private List<Section> sections;

    OpaqueSections(Session session, Pings pings) {
        this.session = session;
        this.pings = pings;
    }

    /**
     * Reads on from a FULL mark that was just read.
     *
     * @param ramWanted whether the RAM section may still begin
     * @return true if a RAM section's START mark was read, and its id, name, instance and version;
     *     false if the stream has been read to its end
     */
    boolean read(StreamIn in, boolean ramWanted) throws IOException {
        base = length;
        position = in.position() - 1;
        if (base == 0) before = position;
        append(Wire.FULL);
        divisions.begin(base, last);
        MigrationException why = null; // the last end that was none
        Divisions.Boundary eof = null; // before EOF, if nothing comes behind
        for (int at = base + 1; ; at++) {
            divisions.next(bytes, at);
            for (int each : endsAt(at)) {
                try {
                    if (describes(each, at)) return false;
                } catch (MigrationException e) {
                    why = e;
                    if (++falseEnds > MOST_FALSE_ENDS) throw e;
                }
            }
            Divisions.Boundary here = divisions.here();
            if (at == length && in.isDry() && silent(in, here, eof)) return false;
            int mark;
            try {
                mark = byteAt(in, at);
            } catch (MigrationException e) {
                if (why != null) e.addSuppressed(why);
                throw e;
            }
            eof = null;
            if (here == null) continue;
            if (mark == Wire.START && ramWanted && ramFollows(in, at)) {
                last = here;
                length = at;
                return true;
            }
            // Before RAM nothing ends; and no byte behind RAM's beginning may be taken here.
            if (mark == Wire.EOF && !ramWanted) {
                if (in.isFile() && !here.several() && trailerFollows(in, at)) return !ends(here);
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
    private List<Integer> endsAt(int at) throws MigrationException {
        if (described.isEmpty() || described.firstKey() > at) return List.of();
        List<Integer> whole = new ArrayList<>();
        for (int eof : described.pollFirstEntry().getValue()) {
            if (at > eof + 7) {
                openEnds--;
                whole.add(eof);
            } else if (bytes[eof + 1] == Wire.VMDESCRIPTION && bytes[eof + 6] == '{') {
                int size = ByteBuffer.wrap(bytes).getInt(eof + 2);
                if (size < 2 || size > VmDescription.LONGEST) continue;
                if (++openEnds > MOST_OPEN_ENDS) {
                    throw MigrationException.peer(
                            "over %d VMDESCRIPTIONs seem to begin before %d",
                            MOST_OPEN_ENDS, position(at));
                }
                described.computeIfAbsent(eof + 6 + size, k -> new ArrayList<>()).add(eof);
            }
        }
        return whole;
    }

    private boolean describes(int eof, int at) throws MigrationException {
        byte[] text = Arrays.copyOfRange(bytes, eof + 6, at);
        sections = cut(VmDescription.parse(text), eof);
        json = text;
        end = position(at); // more may have been read for an end that was none
        return true;
    }

    /**
     * All that has come was looked at.
     *
     * @param here the boundary there, or null
     * @param eof the boundary before the last byte, if that is 0x00; else null
     * @return whether it is the stream's end
     */
    private boolean silent(StreamIn in, Divisions.Boundary here, Divisions.Boundary eof)
            throws IOException {
        if (here != null && here.ping()) {
            // Whether it was one is known only at the end; a wrong answer harms nobody.
            pings.answer(ByteBuffer.wrap(bytes).getInt(here.at() - 4));
        }
        if (eof == null) return false;
        if (eof.several()) {
            long silence = session.current(EngineOptions.SILENCE_TIMEOUT);
            if (!comes(in, silence == 0 ? Long.MAX_VALUE : silence)) {
                throw MigrationException.peer(
                        "the stream may end at %d, but its device sections can be read in several"
                                + " ways, and no VMDESCRIPTION came within %d ms (silence-timeout);"
                                + " is suppress-vmdesc on at the source?",
                        position(eof.at()), silence);
            }
        } else if (!comes(in, session.options().get(EngineOptions.EOF_SILENCE))) {
            return ends(eof);
        }
        if (!in.atEnd()) return false; // so it was no end, or a VMDESCRIPTION comes
        if (eof.several()) {
            throw MigrationException.peer(
                    "the stream ends at %d without a VMDESCRIPTION, and its device sections can be"
                            + " read in several ways",
                    position(eof.at()));
        }
        return ends(eof);
    }

    private boolean comes(StreamIn in, long ms) throws IOException {
        for (long rest = ms; !in.comes(Math.min(rest, SAY_MS)); ) {
            session.check();
            rest -= SAY_MS;
            if (rest <= 0) return false;
            LOG.warn(
                    "{}: waits for more of the stream, which may have ended at {}: its device"
                            + " sections can be read in several ways. {} s to go",
                    session.name(),
                    in.position() - 1,
                    rest / 1000);
        }
        return true;
    }

    /** It ends there, in a way that is the only one. */
    private boolean ends(Divisions.Boundary eof) {
        ByteBuffer view = ByteBuffer.wrap(bytes);
        sections = new ArrayList<>();
        for (Divisions.Cut cut : Divisions.cuts(eof)) {
            int name = bytes[cut.start() + 5] & 0xff;
            sections.add(
                    new Section(
                            new String(bytes, cut.start() + 6, name, StandardCharsets.UTF_8),
                            view.getInt(cut.start() + 6 + name),
                            view.getInt(cut.start() + 10 + name),
                            view.slice(cut.payload(), cut.end() - cut.payload())
                                    .asReadOnlyBuffer()));
        }
        json = new byte[0];
        end = position(eof.at()) + 1;
        LOG.warn(
                "{}: the stream ends at {} without a VMDESCRIPTION; its {} device sections can be"
                        + " read in one way only",
                session.name(),
                position(eof.at()),
                sections.size());
        return true;
    }

    /** In a file the text behind the stream (rule TRL-1) tells where it ends. */
    private boolean trailerFollows(StreamIn in, int eof) throws IOException {
        for (int i = 0; i < TRAILER.length; i++) {
            if (length == eof + 1 + i && in.atEnd()) return false;
            if (byteAt(in, eof + 1 + i) != TRAILER[i]) return false;
        }
        return true;
    }

    private boolean ramFollows(StreamIn in, int at) throws IOException {
        for (int i = 0; i < RAM_START.length; i++) {
            if (byteAt(in, at + FOOTER + i) != (RAM_START[i] & 0xff)) return false;
        }
        ramId = ByteBuffer.wrap(bytes).getInt(at + 1);
        ramPosition = position(at);
        return true;
    }

    /** The RAM section's id, after {@link #read} returned true. */
    int ramSectionId() {
        return ramId;
    }

    /** Where the RAM section's START mark is. */
    long ramPosition() {
        return ramPosition;
    }

    private int byteAt(StreamIn in, int index) throws IOException {
        while (length <= index) append(in.u8());
        return bytes[index] & 0xff;
    }

    private void append(int value) throws MigrationException {
        if (length == bytes.length) {
            if (length >= LONGEST) {
                throw MigrationException.peer(
                        "the device sections from %d on are longer than %d bytes, or no"
                                + " VMDESCRIPTION tells where they end",
                        before, LONGEST);
            }
            bytes = Arrays.copyOf(bytes, length * 2);
        }
        bytes[length++] = (byte) value;
    }

    /** The VMDESCRIPTION as it came; empty if none did. */
    byte[] description() {
        return json;
    }

    /** The first byte behind the stream. */
    long end() {
        return end;
    }

    /** The sections, in wire order; views of this object's bytes. */
    List<Section> sections() {
        return sections;
    }

    private long position(int index) {
        return index < base ? before + index : position + (index - base);
    }

    /** PINGs stand between sections, and are none (rule STR-6). */
    private int behindPings(int at, int end) {
        while (at >= FOOTER && at + Divisions.PING <= end && Divisions.isPing(bytes, at)) {
            at += Divisions.PING;
        }
        return at;
    }

    private List<Section> cut(VmDescription description, int end) throws MigrationException {
        List<Section> cut = new ArrayList<>();
        ByteBuffer view = ByteBuffer.wrap(bytes);
        int at = 0;
        for (VmDescription.Device device : description.devices()) {
            at = behindPings(at, end);
            byte[] name = device.name().getBytes(StandardCharsets.UTF_8);
            int header = 1 + 4 + 1 + name.length + 4 + 4;
            long footer = (long) at + header + device.length();
            if (footer + FOOTER > end) {
                throw MigrationException.peer(
                        "VMDESCRIPTION gives device '%s' %d bytes at %d, but its sections end at"
                                + " %d",
                        device.name(), device.length(), position(at), position(end));
            }
            int id = view.getInt(at + 1);
            boolean head =
                    bytes[at] == Wire.FULL
                            && (bytes[at + 5] & 0xff) == name.length
                            && Arrays.equals(
                                    bytes, at + 6, at + 6 + name.length, name, 0, name.length)
                            && view.getInt(at + 6 + name.length) == device.instance();
            if (!head) {
                throw MigrationException.peer(
                        "at %d device '%s' instance %d should begin, as VMDESCRIPTION has it",
                        position(at), device.name(), Integer.toUnsignedLong(device.instance()));
            }
            if (bytes[(int) footer] != Wire.FOOTER || view.getInt((int) footer + 1) != id) {
                throw MigrationException.peer(
                        "device '%s' should end with its footer at %d, as VMDESCRIPTION has it",
                        device.name(), position((int) footer));
            }
            cut.add(
                    new Section(
                            device.name(),
                            device.instance(),
                            view.getInt(at + 10 + name.length),
                            view.slice(at + header, (int) device.length()).asReadOnlyBuffer()));
            at = (int) footer + FOOTER;
        }
        at = behindPings(at, end);
        if (at != end) {
            throw MigrationException.peer(
                    "%d bytes from %d on are in no device that VMDESCRIPTION names",
                    end - at, position(at));
        }
        return List.copyOf(cut);
    }
}
