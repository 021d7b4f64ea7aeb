package org.vmferry.engine.stream;

import org.vmferry.engine.stream.OpaqueSections.Open;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** How far a stream has come: with RAM, and with what else goes on. So it knows what may follow. */
final class Progress implements OpaqueSections.Around {
    private static final int NO_SECTION = -1;

    private static final byte[] RAM_START = {
        3, 'r', 'a', 'm', 0, 0, 0, 0, 0, 0, 0, Wire.RAM_VERSION
    };

    private static final byte[] SWITCHOVER = {0, 11, 0, 0};

    private final StreamReader.Handler handler;
    private final UnknownSections unknown;
    private final Map<Integer, Open> open = new HashMap<>();
    private final Set<String> titles = new HashSet<>(); // of those that are open
    private int ramId = NO_SECTION;
    private boolean ramCame;
    private boolean ramEnded;

    /** Of a stream of which nothing has come. */
    Progress(StreamReader.Handler handler, UnknownSections unknown) {
        this.handler = handler;
        this.unknown = unknown;
    }

    boolean ramBegun() {
        return ramId != NO_SECTION;
    }

    /** Whether a part of RAM has come. */
    boolean ramCame() {
        return ramCame;
    }

    boolean ramEnded() {
        return ramEnded;
    }

    boolean isRam(int id) {
        return ramBegun() && id == ramId;
    }

    /** Begins RAM. */
    void beginRam(int id, long at) throws MigrationException {
        if (ramBegun()) throw MigrationException.peer("a second RAM section at %d", at);
        if (id < 0)
            throw MigrationException.peer("section id %d at %d", Integer.toUnsignedLong(id), at);
        if (open.containsKey(id)) {
            throw MigrationException.peer(
                    "the RAM section at %d has id %d, which another has", at, id);
        }
        ramId = id;
    }

    /** Throws if no part of RAM may stand here. */
    void checkRamGoesOn(int id, long at) throws MigrationException {
        if (isRam(id) && !ramEnded) return;
        throw MigrationException.peer(
                ramEnded
                        ? "the RAM section goes on at %d after its end (section id %d)"
                        : "a part of unknown section at %d: id %d",
                at,
                Integer.toUnsignedLong(id));
    }

    /** A part of RAM has come, or its end. */
    void ramPart() {
        ramCame = true;
    }

    void endRam() {
        ramEnded = true;
    }

    /** Begins a section that goes on. */
    void begin(Open section, long at) throws MigrationException {
        if (isRam(section.id()) || open.putIfAbsent(section.id(), section) != null) {
            throw MigrationException.peer(
                    "section '%s' at %d has id %d, which another has",
                    section.name(), at, Integer.toUnsignedLong(section.id()));
        }
        if (!titles.add(section.title())) {
            throw MigrationException.peer(
                    "%s begins at %d, and has begun before", section.title(), at);
        }
    }

    /** The open section of a number, or null. */
    Open open(int id) {
        return open.get(id);
    }

    /** All that are open. */
    Collection<Open> open() {
        return open.values();
    }

    void end(Open section) {
        open.remove(section.id());
        titles.remove(section.title());
    }

    @Override
    public boolean begins(int mark, StreamIn in) throws IOException {
        boolean ramGoesOn = ramBegun() && !ramEnded;
        return switch (mark) {
            case Wire.START -> startFollows(in);
            case Wire.PART, Wire.END -> {
                if (!ramGoesOn && open.isEmpty()) yield false;
                int id = in.peekInt();
                yield ramGoesOn && id == ramId || open.containsKey(id);
            }
            case Wire.COMMAND -> ramGoesOn && follows(in, 0, SWITCHOVER);
            default -> false;
        };
    }

    /** One byte after another: no more may come than the stream's end. */
    private static boolean follows(StreamIn in, int from, byte[] wanted) throws IOException {
        for (int i = 0; i < wanted.length; i++)
            if (in.peek(from + i) != (wanted[i] & 0xff)) return false;
        return true;
    }

    private boolean startFollows(StreamIn in) throws IOException {
        if (!ramBegun() && follows(in, 4, RAM_START)) return true;
        if (ramEnded) return false;
        int length = in.peek(4);
        if (length == 0 || length > Grammar.LONGEST_NAME) return false;
        for (String name : Grammar.NAMES) {
            byte[] head = name.getBytes(StandardCharsets.US_ASCII);
            if (head.length == length && follows(in, 5, head)) return true;
        }
        return unknown.begins(in.position() - 1);
    }

    @Override
    public OpaqueSections.Ends ends() {
        if (!ramBegun()) return OpaqueSections.Ends.LATE;
        if (ramEnded) return OpaqueSections.Ends.ANY;
        if (handler.ramPlaced()) return OpaqueSections.Ends.LATE;
        return ramCame ? OpaqueSections.Ends.ANY : OpaqueSections.Ends.NONE;
    }
}
