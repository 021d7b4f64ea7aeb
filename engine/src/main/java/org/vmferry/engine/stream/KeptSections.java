package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.MainOut;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.machine.SectionStore.Section.Kind;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;

/** Writes what a store has kept of another machine, in its order; RAM's sections somebody else. */
public final class KeptSections {
    private final MainOut out;
    private final SectionStore store;
    private final Iterator<Section> sections;
    private final Map<String, Integer> open = new HashMap<>();
    private int nextId = DeviceSections.FIRST_ID;

    /** All of a store's. */
    public KeptSections(MainOut out, SectionStore store) throws IOException {
        this.out = out;
        this.store = store;
        this.sections = store.sections().iterator();
    }

    /**
     * Writes on, up to the next of RAM's sections.
     *
     * @param least that is to be found: RAM's sections before it are passed over
     * @return which one it is
     * @throws MigrationException if no such one follows
     */
    public Kind toRam(Kind least) throws IOException {
        while (sections.hasNext()) {
            Section section = sections.next();
            if (!section.id().equals(Wire.RAM)) write(section);
            else if (section.kind().compareTo(least) >= 0) return section.kind();
        }
        throw MigrationException.host(
                "the sections that were kept say nowhere where RAM's %s stood", least);
    }

    /** Writes all that follow. */
    public void rest() throws IOException {
        while (sections.hasNext()) write(sections.next());
    }

    /**
     * The VMDESCRIPTION that goes with them, for {@link DeviceSections#end}.
     *
     * @param configuration what the stream began with
     * @return the kept one, fitted to it; empty if none was kept
     * @throws IOException if it is none
     */
    public byte[] description(Configuration configuration) throws IOException {
        return DescriptionWriter.fit(store.description(), configuration);
    }

    private void write(Section section) throws IOException {
        String name = section.id() + "/" + section.instance();
        Kind kind = section.kind();
        int id;
        if (kind == Kind.FULL || kind == Kind.START) {
            id = nextId++;
            if (kind == Kind.START) open.put(name, id);
            int mark = kind == Kind.FULL ? Wire.FULL : Wire.START;
            DeviceSections.head(out, mark, id, section.id(), section.instance(), section.version());
        } else {
            Integer begun = open.get(name);
            if (begun == null) {
                throw MigrationException.host(
                        "section '%s' that was kept goes on, but has not begun", name);
            }
            id = begun;
            out.u8(kind == Kind.PART ? Wire.PART : Wire.END);
            out.u32(id);
        }
        out.bytes(MemorySegment.ofBuffer(section.payload()));
        DeviceSections.foot(out, id);
    }
}
