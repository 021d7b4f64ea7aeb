package org.vmferry.engine.stream;

import org.vmferry.engine.stream.OpaqueSections.Open;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.machine.SectionStore.Section.Kind;

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
    /** What stands in the stream; a null section is FULL ones, to be cut. */
    private record Item(Kind kind, Open section, int from, int to) {}

    private static final Open RAM = new Open(0, Wire.RAM, 0, Wire.RAM_VERSION, null);
    private static final int HEAD = 1 + 4 + 1 + 4 + 4; // bytes, without the name

    /** A guest that is saved for hours with dirty bitmaps has some hundred thousand. */
    private static final int MOST_ITEMS = 1 << 20;

    private final Tape tape;
    private final List<Item> items = new ArrayList<>();
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
        int from = tape.length();
        tape.begin(in.position());
        section.grammar().read(new Payload(in, tape, section.name()), mark);
        add(new Item(kind, section, from, tape.length()));
    }

    /** Takes what stands before a place as it is: parts of unknown sections. */
    void asIs(StreamIn in, long from, long to, Map<Integer, Readings.Head> heads)
            throws IOException {
        int index = take(in, from, to);
        int number = tape.u32(index + 1);
        Readings.Head head = heads.get(number);
        Open first = new Open(number, head.name(), head.instance(), head.version(), null);
        add(new Item(Kind.AS_IS, first, index, tape.length()));
    }

    /** Takes a FULL section whose place is known. */
    void whole(StreamIn in, Readings.Step step) throws IOException {
        int index = take(in, step.start(), step.end());
        add(new Item(Kind.FULL, null, index, tape.length()));
    }

    private int take(StreamIn in, long from, long to) throws IOException {
        int index = tape.length();
        in.seek(from);
        tape.begin(from);
        new Payload(in, tape, "at " + from).skip(to - from, "the length of what stands");
        return index;
    }

    /** What was taken holds FULL sections, to be cut. */
    void full(int from, int to) throws MigrationException {
        add(new Item(Kind.FULL, null, from, to));
    }

    /**
     * All sections, of a stream that has come to its end.
     *
     * @param cuts of all FULL ones
     * @param from where the last of these begin
     * @param eof behind them
     * @return in wire order, RAM's without payload; views of the bytes that were taken
     */
    List<Section> cut(List<Divisions.Cut> cuts, int from, int eof) {
        endRam();
        items.add(new Item(Kind.FULL, null, from, eof));
        return build(cuts);
    }

    /** The same, as the only reading has them; RAM's START has its number as its payload. */
    List<Section> cut(Readings.Reading reading) {
        ramNumber = ByteBuffer.allocate(Integer.BYTES).putInt(0, reading.ramNumber());
        return build(cuts(reading));
    }

    private List<Divisions.Cut> cuts(Readings.Reading reading) {
        List<Divisions.Cut> cuts = new ArrayList<>();
        for (Item item : items) {
            if (item.section != null) continue;
            long stood = tape.position(item.from);
            long behind = stood + (item.to - item.from);
            List<Readings.Step> steps = reading.steps();
            for (int i = reading.next(stood); i < steps.size(); i++) {
                if (steps.get(i).start() >= behind) break;
                int start = item.from + (int) (steps.get(i).start() - stood);
                int end = item.from + (int) (steps.get(i).end() - stood);
                int payload = start + HEAD + (tape.bytes()[start + 5] & 0xff);
                cuts.add(new Divisions.Cut(start, payload, end - Divisions.FOOTER));
            }
        }
        return cuts;
    }

    private List<Section> build(List<Divisions.Cut> cuts) {
        List<Section> sections = new ArrayList<>();
        var each = cuts.iterator();
        Divisions.Cut next = each.hasNext() ? each.next() : null;
        for (Item item : items) {
            if (item.section != null) {
                sections.add(section(item));
                continue;
            }
            while (next != null && next.start() < item.to) {
                sections.add(section(next));
                next = each.hasNext() ? each.next() : null;
            }
        }
        return sections;
    }

    /** A background snapshot has no END of RAM: it is taken for where its pages began to come. */
    private void endRam() {
        int at = items.size() - 1;
        while (at >= 0 && items.get(at).section != RAM) at--;
        if (at < 0 || items.get(at).kind == Kind.END) return;
        items.add(at + 1, new Item(Kind.END, RAM, 0, 0));
    }

    private Section section(Item item) {
        Open open = item.section;
        boolean begins = open == RAM && item.kind == Kind.START;
        ByteBuffer payload = begins ? ramNumber : tape.slice(item.from, item.to);
        return new Section(item.kind, open.name(), open.instance(), open.version(), payload);
    }

    private Section section(Divisions.Cut cut) {
        int name = tape.bytes()[cut.start() + 5] & 0xff;
        return new Section(
                new String(tape.bytes(), cut.start() + 6, name, StandardCharsets.UTF_8),
                tape.u32(cut.start() + 6 + name),
                tape.u32(cut.start() + 10 + name),
                tape.slice(cut.payload(), cut.end()));
    }
}
