package org.vmferry.cli.archive;

import org.vmferry.spi.machine.SectionStore;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Device sections, one after another in a file; in memory only where each one lies. */
final class SectionFile implements SectionStore, AutoCloseable {
    private record Entry(String id, int instance, int version, long position, int length) {}

    private final FileChannel channel;
    private final List<Entry> entries = new ArrayList<>();
    private Configuration configuration;
    private byte[] description = {};

    SectionFile(Path file) throws IOException {
        channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
    }

    @Override
    public void keep(Configuration configuration) {
        this.configuration = configuration;
    }

    @Override
    public void keep(Section section) throws IOException {
        ByteBuffer payload = section.payload().duplicate();
        long position = channel.size();
        entries.add(
                new Entry(
                        section.id(),
                        section.instance(),
                        section.version(),
                        position,
                        payload.remaining()));
        while (payload.hasRemaining()) position += channel.write(payload, position);
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
                    return new Section(entry.id, entry.instance, entry.version, payload(entry));
                }
            };
        };
    }

    private ByteBuffer payload(Entry entry) {
        ByteBuffer payload = ByteBuffer.allocate(entry.length);
        try {
            while (payload.hasRemaining()) {
                if (channel.read(payload, entry.position + payload.position()) < 0)
                    throw new EOFException("the archive's sections were cut short underneath");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return payload.flip().asReadOnlyBuffer();
    }

    @Override
    public byte[] description() {
        return description.clone();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
