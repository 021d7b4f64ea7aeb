package org.vmferry.cli.archive;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.machine.SectionStore.Section.Kind;
import org.vmferry.spi.transport.PositionedFile;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** Device sections, one after another in a file; in memory only where each one lies. */
final class SectionFile implements SectionStore {
    private record Entry(
            Kind kind, String id, int instance, int version, long position, int length) {}

    private final PositionedFile file;
    private long end;
    private final List<Entry> entries = new ArrayList<>();
    private Configuration configuration;
    private byte[] description = {};
    private Optional<String> lost = Optional.empty();
    private boolean takesLosses;
    private List<Fact> facts = List.of();

    /** An empty one in a file, which stays its owner's. */
    SectionFile(PositionedFile file) {
        this.file = file;
    }

    @Override
    public void keep(Configuration configuration) {
        this.configuration = configuration;
    }

    @Override
    public void keep(Section section) throws IOException {
        ByteBuffer payload = section.payload().duplicate();
        int length = payload.remaining();
        entries.add(
                new Entry(
                        section.kind(),
                        section.id(),
                        section.instance(),
                        section.version(),
                        end,
                        length));
        file.write(payload, end);
        end += length;
    }

    @Override
    public void keepDescription(byte[] json) {
        description = json.clone();
    }

    @Override
    public Configuration configuration() throws IOException {
        if (configuration == null) throw new IOException("no configuration was kept yet");
        return configuration;
    }

    @Override
    public Iterable<Section> sections() {
        return () -> {
            Iterator<Entry> each = List.copyOf(entries).iterator();
            return new Iterator<>() {
                @Override
                public boolean hasNext() {
                    return each.hasNext();
                }

                @Override
                public Section next() {
                    Entry entry = each.next();
                    return new Section(
                            entry.kind, entry.id, entry.instance, entry.version, payload(entry));
                }
            };
        };
    }

    private ByteBuffer payload(Entry entry) {
        ByteBuffer payload = ByteBuffer.allocate(entry.length);
        try {
            if (file.read(payload, entry.position) < entry.length)
                throw new EOFException("the archive's sections were cut short underneath");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return payload.flip().asReadOnlyBuffer();
    }

    @Override
    public byte[] description() {
        return description.clone();
    }

    /** What is lost is no failure. */
    void takeLosses() {
        takesLosses = true;
    }

    @Override
    public void lost(MigrationException why) throws MigrationException {
        if (!takesLosses) throw why;
        lost = Optional.of(why.getMessage());
    }

    /** What {@link #takeLosses} put up with. */
    Optional<String> lost() {
        return lost;
    }

    @Override
    public void keepFacts(List<Fact> kept) {
        facts = List.copyOf(kept);
    }

    @Override
    public List<Fact> facts() {
        return facts;
    }
}
