package org.vmferry.cli;

import org.vmferry.cli.input.Packed;
import org.vmferry.cli.input.UnpackedFile;
import org.vmferry.engine.system.Inode;
import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A file that was recognised: a QEMU's stream, at some offset, perhaps within a libvirt save image.
 * It is opened once; all that is read of it is read through that, so that nobody who can rename
 * files beside it makes us see two.
 */
final class Snapshot implements AutoCloseable {
    private final Path path;
    private final IncomingFile opened;
    private final boolean once;
    private final long offset;
    private final Optional<Packed> packed;
    private final Optional<LibvirtHeader> libvirt;
    private final Optional<String> domain;

    /** As it was recognised: {@link Recognition}. */
    Snapshot(
            Path path,
            IncomingFile opened,
            boolean once,
            long offset,
            Optional<Packed> packed,
            Optional<LibvirtHeader> libvirt,
            Optional<String> domain) {
        this.path = path;
        this.opened = opened;
        this.once = once;
        this.offset = offset;
        this.packed = packed;
        this.libvirt = libvirt;
        this.domain = domain;
    }

    /**
     * Recognises a file.
     *
     * @param path the file
     * @param offset where to look for a stream, or for packed data; 0 also finds libvirt's header
     * @return owned by the caller
     * @throws IOException if it can't be read
     * @throws MigrationException if it is nothing that can be read, and why
     */
    static Snapshot open(Path path, long offset) throws IOException {
        IncomingFile opened =
                new LocalFileTransport()
                        .incoming(Address.parse(uri(path, offset)), Options.DEFAULTS);
        return Recognition.of(path, opened, false, offset);
    }

    /** As above, of what is read once, from front to back. */
    static Snapshot once(Path name, IncomingFile opened, long offset) throws IOException {
        return Recognition.of(name, opened, true, offset);
    }

    /**
     * What comes once, kept to be read as often as it must be.
     *
     * @param kept all of {@link #file}; is owned by what this makes
     * @return owned by the caller; this is of no use any more
     */
    Snapshot kept(IncomingFile kept) {
        return new Snapshot(path, kept, false, offset, packed, libvirt, domain);
    }

    /** Its name, as typed: for messages only. */
    Path path() {
        return path;
    }

    /**
     * Makes sure that it can be read again, and at any place.
     *
     * @param why it must be, as the beginning of a sentence
     * @throws MigrationException if it is read once
     */
    void needsAFile(String why) throws MigrationException {
        if (once)
            throw MigrationException.user(
                    "%s, and %s is a pipe: write it to a file first, and name that", why, path);
    }

    /** Whether it is read once, from front to back. */
    boolean isOnce() {
        return once;
    }

    /** Whether it ends where the snapshot does: a device does not. */
    boolean isFile() {
        return Files.isRegularFile(path);
    }

    /** How it is packed, if it is. */
    Optional<Packed> packed() {
        return packed;
    }

    /** What else there is behind packed data that were read to their end: a sentence. */
    Optional<String> rest() {
        return opened instanceof UnpackedFile file ? file.rest() : Optional.empty();
    }

    /** Whether another name is this file's, too, or another node of this device. */
    boolean isAlso(Path other) throws IOException {
        if (once || !Files.exists(other)) return false;
        if (Files.isSameFile(path, other)) return true;
        Optional<Long> device = Inode.device(path);
        return device.isPresent() && device.equals(Inode.device(other));
    }

    /**
     * Where the stream begins, in bytes from the beginning of what it is packed as, or the file.
     */
    long offset() {
        return offset;
    }

    /** Its header, if libvirt made the file. */
    Optional<LibvirtHeader> libvirt() {
        return libvirt;
    }

    /** The domain's name in it, if it can be told. */
    Optional<String> domain() {
        return domain;
    }

    /** The file itself, unpacked if it is packed. */
    PositionedFile file() throws IOException {
        return opened.file(false);
    }

    /** How the engine reads it. */
    FileTransport transport() {
        return new SnapshotTransport(opened, offset);
    }

    /** The address at which the engine finds the stream, with {@link #transport}. */
    String uri() {
        return SnapshotTransport.uri(path);
    }

    @Override
    public void close() {
        opened.close();
    }

    /** The address of a file; the offset is said also where a name would be taken for one. */
    static String uri(Path path, long offset) {
        boolean plain = offset == 0 && !path.toString().contains(",offset=");
        return "file:" + path + (plain ? "" : ",offset=" + offset);
    }
}
