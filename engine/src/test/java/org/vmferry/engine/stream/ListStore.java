package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore;

import java.util.ArrayList;
import java.util.List;

/** A store in memory, in which a test may look, and which it may fill. */
final class ListStore implements SectionStore {
    final List<Section> sections = new ArrayList<>();
    private byte[] description = {};
    private MigrationException lost;

    @Override
    public void keep(Configuration configuration) {}

    @Override
    public void keep(Section section) {
        sections.add(section);
    }

    @Override
    public void keepDescription(byte[] json) {
        description = json;
    }

    @Override
    public void lost(MigrationException why) {
        lost = why;
    }

    /** Why what stands behind RAM is not known; null if it is. */
    MigrationException lost() {
        return lost;
    }

    @Override
    public Configuration configuration() {
        return new Configuration("m", List.of());
    }

    @Override
    public Iterable<Section> sections() {
        return sections;
    }

    @Override
    public byte[] description() {
        return description;
    }
}
