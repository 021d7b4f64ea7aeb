package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.machine.SectionStore.Section.Kind;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;

/** Writes what a store has kept of another machine, in its order; RAM's sections somebody else. */
public final class KeptSections implements SectionWriter {
    private final StreamOut out;
    private final Iterator<Section> sections;
    private final Map<String, Integer> open = new HashMap<>();
    private final byte[] description;
    private final boolean asIs;
    private int nextId = DeviceSections.FIRST_ID;
    private int ramNumber = SectionWriter.super.ramNumber();

    /**
     * All of a store's.
     *
     * @param configuration what the stream began with
     * @throws IOException if there is no such description of it
     */
    public KeptSections(StreamOut out, SectionStore store, Configuration configuration)
            throws IOException {
        this.description = DescriptionWriter.fit(store.description(), configuration);
        this.out = out;
        this.asIs = asIs(store);
        if (asIs) nextId = Readings.FIRST_FREE; // what is written as it is has numbers of its own
        this.sections = store.sections().iterator();
    }

    /**
     * Whether a store has sections that are written as they came: they may hold parts of RAM
     * without pages.
     */
    public static boolean asIs(SectionStore store) throws IOException {
        for (Section section : store.sections()) if (section.kind() == Kind.AS_IS) return true;
        return false;
    }

    @Override
    public int ramNumber() {
        return ramNumber;
    }

    @Override
    public Kind toRam(Kind least) throws IOException {
        while (sections.hasNext()) {
            Section section = sections.next();
            Kind kind = section.kind();
            if (!section.id().equals(Wire.RAM)) write(section);
            else if (kind == Kind.FULL) break; // kept by who knows no kinds
            else if (kind.compareTo(least) >= 0) {
                if (kind == Kind.START) takeNumber(section.payload());
                return kind;
            }
        }
        throw MigrationException.host(
                "the sections that were kept say nowhere where RAM's %s stood", least);
    }

    private void takeNumber(ByteBuffer payload) throws MigrationException {
        if (payload.remaining() == Integer.BYTES) ramNumber = payload.duplicate().getInt();
        else if (asIs) {
            throw MigrationException.host(
                    "sections are kept as they are, but not which number RAM has in them");
        }
    }

    @Override
    public byte[] rest(RunState state) throws IOException {
        while (sections.hasNext()) {
            Section section = sections.next();
            if (section.id().equals(Wire.RAM)) {
                throw MigrationException.host(
                        "the sections that were kept have RAM behind its end");
            }
            write(section);
        }
        return description;
    }

    private void write(Section section) throws IOException {
        String name = section.id() + "/" + section.instance();
        Kind kind = section.kind();
        int id;
        if (kind == Kind.AS_IS) {
            out.bytes(MemorySegment.ofBuffer(section.payload()));
            return;
        }
        if (kind == Kind.FULL || kind == Kind.START) {
            id = nextId++;
            if (kind == Kind.START) open.put(name, id);
            int mark = kind == Kind.FULL ? Wire.FULL : Wire.START;
            DeviceSections.head(out, mark, id, section.id(), section.instance(), section.version());
        } else {
            Integer begun = kind == Kind.END ? open.remove(name) : open.get(name);
            if (begun == null) {
                throw MigrationException.host(
                        "section '%s' instance %d that was kept goes on, but is not open",
                        section.id(), Integer.toUnsignedLong(section.instance()));
            }
            id = begun;
            out.u8(kind == Kind.PART ? Wire.PART : Wire.END);
            out.u32(id);
        }
        out.bytes(MemorySegment.ofBuffer(section.payload()));
        DeviceSections.foot(out, id);
    }
}
