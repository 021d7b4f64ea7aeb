package org.vmferry.cli.archive;

import org.vmferry.engine.transport.ScratchFile;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.machine.SectionStore.Section.Kind;
import org.vmferry.spi.transport.PositionedFile;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Device sections, one after another in a file; in memory only where each one lies. Large ones lie
 * in a file of their own, which can be mapped: nobody else has a name for it.
 */
final class SectionFile implements SectionStore, AutoCloseable {
    private record Entry(
            Kind kind, String id, int instance, int version, long position, int length) {}

    /** What is longer is large; bytes. */
    private static final int SMALL = 4 << 20;

    private final PositionedFile file;
    private final Path folder;
    private ScratchFile large;
    private long end;
    private long largeEnd;
    private final List<Entry> entries = new ArrayList<>();
    private Configuration configuration;
    private byte[] description = {};
    private Optional<String> lost = Optional.empty();
    private boolean takesLosses;
    private List<Fact> facts = List.of();

    /**
     * An empty one in a file, which stays its owner's.
     *
     * @param folder where large sections lie
     */
    SectionFile(PositionedFile file, Path folder) {
        this.file = file;
        this.folder = folder;
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
                        length > SMALL ? largeEnd : end,
                        length));
        if (length > SMALL) {
            if (large == null) large = ScratchFile.in(folder);
            large.write(payload, largeEnd);
            largeEnd += length;
        } else {
            file.write(payload, end);
            end += length;
        }
    }

    @Override
    public Path scratch() {
        return folder;
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
        try {
            if (entry.length > SMALL) return large.view(entry.position, entry.length);
            ByteBuffer payload = ByteBuffer.allocate(entry.length);
            if (file.read(payload, entry.position) < entry.length)
                throw new EOFException("the archive's sections were cut short underneath");
            return payload.flip().asReadOnlyBuffer();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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

    /** Forgets the large ones: no payload may be in use. */
    @Override
    public void close() throws IOException {
        if (large != null) large.close();
    }
}
