package org.vmferry.cli;

import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;

/**
 * A file that was recognised: a QEMU's stream, at some offset, perhaps within a libvirt save image.
 *
 * @param path the file
 * @param offset where the stream begins, in bytes
 * @param libvirt its header, if libvirt made the file
 * @param domain its name there, if it can be told
 */
record Snapshot(Path path, long offset, Optional<LibvirtHeader> libvirt, Optional<String> domain) {
    private static final byte[] QEVM = {'Q', 'E', 'V', 'M'};

    /**
     * Recognises a file.
     *
     * @param path the file
     * @param offset where to look for a stream; 0 also finds libvirt's header
     * @throws IOException if it can't be read
     * @throws MigrationException if it is nothing that can be read, and why
     */
    static Snapshot open(Path path, long offset) throws IOException {
        if (Files.notExists(path)) throw new NoSuchFileException(path.toString());
        if (!Files.isRegularFile(path)) throw MigrationException.user("%s is no file", path);
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            long size = file.size();
            Optional<LibvirtHeader> libvirt =
                    offset == 0
                            ? LibvirtHeader.parse(read(file, 0, LibvirtHeader.LENGTH), size)
                            : Optional.empty();
            Optional<String> domain = Optional.empty();
            if (libvirt.isPresent()) {
                LibvirtHeader header = libvirt.get();
                refuseUnreadable(path, header);
                offset = header.streamOffset();
                domain =
                        LibvirtHeader.domain(
                                read(
                                        file,
                                        LibvirtHeader.LENGTH,
                                        (int) offset - LibvirtHeader.LENGTH));
            }
            byte[] magic = read(file, offset, QEVM.length);
            if (!Arrays.equals(magic, QEVM))
                throw MigrationException.peer(
                        "%s is no snapshot: at byte %d it has '%s', not 'QEVM'",
                        path, offset, shown(magic));
            return new Snapshot(path, offset, libvirt, domain);
        }
    }

    private static void refuseUnreadable(Path path, LibvirtHeader header)
            throws MigrationException {
        if (!header.complete())
            throw MigrationException.peer(
                    "%s is a libvirt save image that was never completed (LibvirtQemudPart)", path);
        if (!header.plain())
            throw MigrationException.user(
                    "%s is a libvirt save image compressed with %s, which is not built: have"
                            + " libvirt save it raw or sparse, or decompress what follows byte %d",
                    path, header.formatName(), header.streamOffset());
    }

    private static String shown(byte[] magic) {
        StringBuilder text = new StringBuilder();
        for (byte b : magic)
            text.append(b >= ' ' && b < 127 ? "" + (char) b : "\\x%02x".formatted(b));
        return text.toString();
    }

    private static byte[] read(FileChannel file, long position, int length) throws IOException {
        long there = Math.clamp(file.size() - position, 0, length);
        ByteBuffer bytes = ByteBuffer.allocate((int) there);
        while (bytes.hasRemaining() && file.read(bytes, position + bytes.position()) > 0) {}
        return Arrays.copyOf(bytes.array(), bytes.position());
    }

    /** The address at which the engine finds the stream. */
    String uri() {
        return uri(path, offset);
    }

    /** The address of a file; the offset is said also where a name would be taken for one. */
    static String uri(Path path, long offset) {
        boolean plain = offset == 0 && !path.toString().contains(",offset=");
        return "file:" + path + (plain ? "" : ",offset=" + offset);
    }
}
