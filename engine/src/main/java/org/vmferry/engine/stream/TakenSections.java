package org.vmferry.engine.stream;

import org.vmferry.engine.stream.OpaqueSections.Open;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.machine.SectionStore.Section.Kind;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What was taken of a stream, in its order; and the sections that it is, once it is known where
 * each of the FULL ones ends.
 */
final class TakenSections {
    /**
     * What stands in the stream; a null section is FULL ones, to be cut. What is taken as it is
     * stands in the stream's file, all else on the tape.
     */
    private record Item(Kind kind, Open section, long from, long to) {}

    /** Takes sections. */
    interface Taker {
        /** The payload is valid during the call only. */
        void take(Section section) throws IOException;
    }

    private static final Open RAM = new Open(0, Wire.RAM, 0, Wire.RAM_VERSION, null);

    /** What is taken as it is, is given back in pieces of so many bytes. */
    static final int PIECE = 4 << 20;

    private static final int HEAD = 1 + 4 + 1 + 4 + 4; // bytes, without the name

    /** A guest that is saved for hours with dirty bitmaps has some hundred thousand. */
    private static final int MOST_ITEMS = 1 << 20;

    private final Tape tape;
    private final List<Item> items = new ArrayList<>();
    private PositionedFile file; // of what is as it was
    private long holes; // in that, bytes that were given
    private List<Divisions.Cut> cuts = List.of();
    private boolean ramCame;
    private ByteBuffer ramNumber = ByteBuffer.allocate(0); // if it may stand in what is as it was

    /** Over the bytes that were taken. */
    TakenSections(Tape tape) {
        this.tape = tape;
    }

    /** One of RAM's sections stands here. Of its parts the first counts: pages came since then. */
    void ram(Kind kind) throws MigrationException {
        if (kind == Kind.PART && ramCame) return;
        ramCame |= kind == Kind.PART;
        add(new Item(kind, RAM, 0, 0));
    }

    private void add(Item item) throws MigrationException {
        if (items.size() >= MOST_ITEMS) {
            throw MigrationException.peer(
                    "over %d sections and parts of sections stand in the stream", MOST_ITEMS);
        }
        items.add(item);
    }

    /** Reads a payload that tells its own end, from behind the head that was just read. */
    void read(StreamIn in, Kind kind, int mark, Open section) throws IOException {
        long from = tape.length();
        tape.begin(in.position());
        section.grammar().read(new Payload(in, tape, section.name()), mark);
        add(new Item(kind, section, from, tape.length()));
    }

    /**
     * Takes what stands before a place as it is, parts of unknown sections: it stays in the file.
     *
     * @param in behind the first mark
     */
    void asIs(FileStreamIn in, long from, long to, Map<Integer, Readings.Head> heads)
            throws IOException {
        int number = in.peekInt();
        Readings.Head head = heads.get(number);
        Open first = new Open(number, head.name(), head.instance(), head.version(), null);
        add(new Item(Kind.AS_IS, first, from, to));
        file = in.file(false);
        in.seek(to);
    }

    /** Takes a FULL section whose place is known. */
    void whole(FileStreamIn in, Readings.Step step) throws IOException {
        long index = take(in, step.start(), step.end());
        add(new Item(Kind.FULL, null, index, tape.length()));
    }

    private long take(FileStreamIn in, long from, long to) throws IOException {
        long index = tape.length();
        in.seek(from);
        tape.begin(from);
        new Payload(in, tape, "at " + from).skip(to - from, "the length of what stands");
        return index;
    }

    /** What was taken holds FULL sections, to be cut. */
    void full(long from, long to) throws MigrationException {
        add(new Item(Kind.FULL, null, from, to));
    }

    /**
     * All sections, of a stream that has come to its end.
     *
     * @param cuts of all FULL ones
     * @param from where the last of these begin
     * @param eof behind them
     */
    void cut(List<Divisions.Cut> cuts, long from, long eof) {
        endRam();
        items.add(new Item(Kind.FULL, null, from, eof));
        this.cuts = cuts;
    }

    /** The same, as the only reading has them; RAM's START has its number as its payload. */
    void cut(Readings.Reading reading) throws MigrationException {
        ramNumber = ByteBuffer.allocate(Integer.BYTES).putInt(0, reading.ramNumber());
        cuts = cuts(reading);
    }

    private List<Divisions.Cut> cuts(Readings.Reading reading) throws MigrationException {
        List<Divisions.Cut> cuts = new ArrayList<>();
        for (Item item : items) {
            if (item.section != null) continue; // not to be cut
            long stood = tape.position(item.from);
            long behind = stood + (item.to - item.from);
            List<Readings.Step> steps = reading.steps();
            for (int i = reading.next(stood); i < steps.size(); i++) {
                if (steps.get(i).start() >= behind) break;
                long start = item.from + (steps.get(i).start() - stood);
                long end = item.from + (steps.get(i).end() - stood);
                long payload = start + HEAD + (tape.get(start + 5) & 0xff);
                cuts.add(new Divisions.Cut(start, payload, end - Divisions.FOOTER));
            }
        }
        return cuts;
    }

    /** Gives all sections in wire order, once they were cut; RAM's have no payload. */
    void give(Taker to) throws IOException {
        var each = cuts.iterator();
        Divisions.Cut next = each.hasNext() ? each.next() : null;
        for (Item item : items) {
            if (item.kind == Kind.AS_IS) {
                pieces(item, to);
                continue;
            }
            if (item.section != null) {
                to.take(section(item));
                continue;
            }
            while (next != null && next.start() < item.to) {
                to.take(section(next));
                next = each.hasNext() ? each.next() : null;
            }
        }
    }

    private void pieces(Item item, Taker to) throws IOException {
        for (long at = item.from; at < item.to; at += PIECE) {
            ByteBuffer piece = ByteBuffer.allocate((int) Math.min(PIECE, item.to - at));
            holes += Math.min(file.nextData(at) - at, piece.capacity());
            if (holes > Tape.HELD) throw Tape.tooManyHoles(item.from);
            if (file.read(piece, at) < piece.capacity()) {
                throw MigrationException.peer(
                        "the file ends at %d, before %d: it was cut short while it was read",
                        at + piece.position(), item.to);
            }
            to.take(section(item, piece.flip().asReadOnlyBuffer()));
        }
    }

    /** A background snapshot has no END of RAM: it is taken for where its pages began to come. */
    private void endRam() {
        int at = items.size() - 1;
        while (at >= 0 && items.get(at).section != RAM) at--;
        if (at < 0 || items.get(at).kind == Kind.END) return;
        items.add(at + 1, new Item(Kind.END, RAM, 0, 0));
    }

    private Section section(Item item) throws MigrationException {
        boolean begins = item.section == RAM && item.kind == Kind.START;
        return section(item, begins ? ramNumber : tape.slice(item.from, item.to));
    }

    private static Section section(Item item, ByteBuffer payload) {
        Open open = item.section;
        return new Section(item.kind, open.name(), open.instance(), open.version(), payload);
    }

    private Section section(Divisions.Cut cut) throws MigrationException {
        int name = tape.get(cut.start() + 5) & 0xff;
        byte[] text = tape.copy(cut.start() + 6, cut.start() + 6 + name);
        return new Section(
                new String(text, StandardCharsets.UTF_8),
                tape.u32(cut.start() + 6 + name),
                tape.u32(cut.start() + 10 + name),
                tape.slice(cut.payload(), cut.end()));
    }
}
