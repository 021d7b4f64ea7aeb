package org.vmferry.cli;

import org.vmferry.cli.input.Packed;
import org.vmferry.cli.input.Packing;
import org.vmferry.cli.input.UnpackedFile;
import org.vmferry.engine.stream.OtherFormat;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Finds out what a file is, from the outside to the inside: it may be packed, in it may be a
 * libvirt save image, and the stream in that may be packed.
 */
final class Recognition {
    private static final byte[] QEVM = {'Q', 'E', 'V', 'M'};

    private final Path path;
    private final boolean once;
    private IncomingFile opened;
    private long offset;
    private Optional<Packed> packed = Optional.empty();
    private Optional<LibvirtHeader> libvirt = Optional.empty();
    private Optional<String> domain = Optional.empty();

    private Recognition(Path path, IncomingFile opened, boolean once, long offset) {
        this.path = path;
        this.opened = opened;
        this.once = once;
        this.offset = offset;
    }

    /**
     * Recognises it.
     *
     * @param path its name, for messages
     * @param opened is closed if it is none
     * @param once whether it is read once, from front to back
     * @param offset where to look for a stream, or for packed data; 0 also finds libvirt's header
     * @throws MigrationException if it is nothing that can be read, and why
     */
    static Snapshot of(Path path, IncomingFile opened, boolean once, long offset)
            throws IOException {
        var recognition = new Recognition(path, opened, once, offset);
        try {
            return recognition.snapshot();
        } catch (IOException | RuntimeException | Error e) {
            recognition.opened.close();
            throw e;
        }
    }

    private Snapshot snapshot() throws IOException {
        Optional<Packing> whole = Packing.of(first());
        if (whole.isPresent()) unpack(whole.get(), "");
        if (offset == 0) {
            PositionedFile file = opened.file(false);
            libvirt = LibvirtHeader.parse(read(0, LibvirtHeader.LENGTH), file.size());
        }
        if (libvirt.isPresent()) enter(libvirt.get());
        byte[] magic = read(offset, QEVM.length);
        if (!Arrays.equals(magic, QEVM)) {
            throw MigrationException.peer(
                    "%s is no snapshot: at byte %d%s it has '%s', not 'QEVM'%s",
                    path,
                    offset,
                    packed.map(p -> " of what " + p.by().id() + " packed").orElse(""),
                    shown(magic),
                    OtherFormat.of(first()).map(f -> ": it is " + f.description()).orElse(""));
        }
        return new Snapshot(path, opened, once, offset, packed, libvirt, domain);
    }

    private void enter(LibvirtHeader header) throws IOException {
        if (!header.complete()) {
            throw MigrationException.peer(
                    "%s is a libvirt save image that was never completed (LibvirtQemudPart)", path);
        }
        offset = header.streamOffset();
        long data = offset - LibvirtHeader.LENGTH;
        int looked = (int) Math.min(data, LibvirtHeader.NAME_WITHIN);
        domain = LibvirtHeader.domain(read(LibvirtHeader.LENGTH, looked));
        Optional<Packing> by = Packing.named(header.formatName());
        if (by.isEmpty()) return;
        if (by.get().isRead() && !Packing.of(first()).equals(by)) {
            throw MigrationException.peer(
                    "%s is a libvirt save image whose header says that data packed with %s follow"
                            + " at byte %d, but there stands '%s': --offset %3$d reads it as what"
                            + " it is",
                    path, header.formatName(), offset, shown(read(offset, QEVM.length)));
        }
        unpack(by.get(), "a libvirt save image ");
    }

    private void unpack(Packing by, String what) throws IOException {
        Packed found = new Packed(path, once, packed, offset, by);
        if (!by.isRead()) {
            throw MigrationException.user(
                    "%s is %spacked with %s, which is not read here: %s",
                    path, what, by.id(), found.instead());
        }
        opened = new UnpackedFile(found, opened);
        packed = Optional.of(found);
        offset = 0;
    }

    /** As the format's first bytes are told; 0 for what is too short to be one. */
    private int first() throws IOException {
        byte[] first = read(offset, Integer.BYTES);
        return first.length < Integer.BYTES ? 0 : ByteBuffer.wrap(first).getInt();
    }

    private byte[] read(long position, int length) throws IOException {
        PositionedFile file = opened.file(false);
        long there = Math.clamp(file.size() - position, 0, length);
        ByteBuffer bytes = ByteBuffer.allocate((int) there);
        return Arrays.copyOf(bytes.array(), file.read(bytes, position));
    }

    private static String shown(byte[] magic) {
        StringBuilder text = new StringBuilder();
        for (byte b : magic)
            text.append(b >= ' ' && b < 127 ? "" + (char) b : "\\x%02x".formatted(b));
        return text.toString();
    }
}
