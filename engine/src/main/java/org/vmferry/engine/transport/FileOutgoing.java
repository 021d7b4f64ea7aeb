package org.vmferry.engine.transport;

import org.slf4j.Logger;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/**
 * Writes a snapshot: beside its target and renamed when complete, or in place.
 *
 * <p>Locked on itself while it opens, completes and closes, never while bytes are written.
 */
final class FileOutgoing implements OutgoingFile {
    private static final Logger log = Log.of(LocalFileTransport.class);

    private final FileTarget target;
    private Path file;
    private FileTarget.Kind kind;
    private volatile OpenFile open;
    // Null when written in place.
    private Path part;
    // In place: how long the file is made again after a failure; -1 removes it.
    private long sizeBefore;
    // Bytes; 0 if nobody said.
    private long expected;
    private boolean completed;
    private volatile boolean released;

    FileOutgoing(FileTarget target) {
        this.target = target;
    }

    private boolean inPlace() {
        return target.start() > 0 || device();
    }

    private boolean device() {
        return kind == FileTarget.Kind.BLOCK_DEVICE || kind == FileTarget.Kind.CHARACTER_DEVICE;
    }

    /** Finds out what is at the target; changes nothing. */
    private void look() throws IOException {
        if (file != null) return;
        Path found = target.file();
        kind = FileTarget.kind(found);
        switch (kind) {
            case DIRECTORY ->
                    throw MigrationException.user("'%s' is a directory, no file", target.path());
            case STREAM ->
                    throw MigrationException.user(
                            "'%s' is a pipe or socket: a snapshot needs a file, where bytes have"
                                    + " positions",
                            target.path());
            default -> {}
        }
        Path directory = found.getParent();
        if (directory == null || !Files.isDirectory(directory)) {
            throw MigrationException.user(
                    "can't write '%s': there is no directory '%s'", target.path(), directory);
        }
        file = found;
        for (Unfinished u : Unfinished.beside(found)) {
            if (u.alive()) log.info("Another snapshot of that name is on its way: {}", u);
            else log.warn("Unfinished snapshot {}: remove it with: {}", u, u.removal());
        }
    }

    @Override
    public synchronized void expect(long bytes) throws IOException {
        check();
        look();
        long room;
        try {
            room = room();
        } catch (IOException e) {
            throw Trouble.explain("ask for the space at", file, e);
        }
        if (bytes <= room) {
            expected = bytes;
            return;
        }
        long left = 0;
        for (Unfinished u : Unfinished.beside(file)) left += u.alive() ? 0 : u.bytes();
        throw Trouble.noRoom(
                target.path(),
                "up to " + bytes + " bytes",
                room
                        + " are free "
                        + (device() ? "there" : "in '" + file.getParent() + "'")
                        + (left == 0 ? "" : " (unfinished snapshots beside it take " + left + ")"),
                null);
    }

    @Override
    public synchronized void reserve(long bytes) throws IOException {
        check();
        look();
        if (!inPlace()) {
            file(false);
            open.reserve(bytes);
            return;
        }
        expect(bytes);
        if (!Files.isWritable(kind == FileTarget.Kind.MISSING ? file.getParent() : file)) {
            throw MigrationException.user("can't write '%s': no permission", target.path());
        }
    }

    private long room() throws IOException {
        if (kind == FileTarget.Kind.CHARACTER_DEVICE) return Long.MAX_VALUE;
        if (kind == FileTarget.Kind.BLOCK_DEVICE) {
            try (FileChannel device = FileChannel.open(file, StandardOpenOption.READ)) {
                return Math.max(0, device.size() - target.start());
            }
        }
        long usable = Room.in(file.getParent());
        if (inPlace() && kind == FileTarget.Kind.REGULAR) {
            usable += Math.max(0, Files.size(file) - target.start()); // will be cut off
        }
        return usable < 0 ? Long.MAX_VALUE : usable; // also of the sum
    }

    @Override
    public synchronized PositionedFile file(boolean direct) throws IOException {
        check();
        if (open == null) {
            look();
            if (inPlace()) openInPlace();
            else openPart();
            if (released) open.release();
        }
        return open.file(direct);
    }

    private void openInPlace() throws IOException {
        boolean made = kind == FileTarget.Kind.MISSING;
        OpenFile opened =
                OpenFile.open(
                        file,
                        target.start(),
                        made
                                ? Set.of(
                                        StandardOpenOption.READ,
                                        StandardOpenOption.WRITE,
                                        StandardOpenOption.CREATE_NEW)
                                : Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE));
        try {
            if (kind != FileTarget.Kind.CHARACTER_DEVICE) {
                opened.claim(FileClaim.Use.WRITE, target.start(), end());
            }
            if (!made) {
                log.info(
                        "Writing '{}' in place{}: it is not whole until the end, and what a failure"
                                + " leaves is not what stood there before",
                        target.path(),
                        target.start() > 0 ? " from offset " + target.start() : "");
            }
            sizeBefore = made ? -1 : Math.min(opened.size(), target.start());
            if (!device()) opened.file(false).resize(target.start());
        } catch (IOException | RuntimeException | Error e) {
            opened.close();
            if (made) Files.deleteIfExists(file);
            if (e instanceof IOException io) throw Trouble.explain("cut", file, io);
            throw e;
        }
        open = opened;
    }

    /**
     * A file loses all that follows; a device what is written over, and more is claimed by then.
     */
    private long end() {
        boolean known = kind == FileTarget.Kind.BLOCK_DEVICE && expected > 0;
        return known ? target.start() + expected : FileClaim.END;
    }

    private void openPart() throws IOException {
        // Renaming over it asks for no permission on the file itself; who protected it meant it.
        if (kind == FileTarget.Kind.REGULAR && !Files.isWritable(file)) {
            throw MigrationException.user("can't replace '%s': no permission", target.path());
        }
        Path name = Unfinished.name(file);
        Replacement replacement = new Replacement(file, kind == FileTarget.Kind.REGULAR);
        replacement.look();
        OpenFile opened =
                OpenFile.open(
                        name,
                        file,
                        0,
                        Set.of(
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE,
                                StandardOpenOption.CREATE_NEW));
        try {
            replacement.tryOut(name);
        } catch (IOException | RuntimeException | Error e) {
            opened.close();
            Files.deleteIfExists(name);
            throw e;
        }
        part = name;
        open = opened;
        open.mark();
    }

    @Override
    public synchronized void complete() throws IOException {
        check();
        if (open == null) {
            throw new IllegalStateException("nothing was written to '" + target.path() + "'");
        }
        try {
            open.force();
            if (part != null) {
                if (kind == FileTarget.Kind.REGULAR) Rights.carry(file, part);
                check();
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
            }
            completed = true;
        } catch (IOException e) {
            throw Trouble.explain("complete", file, e);
        }
        if (part != null || sizeBefore < 0) forceDirectory();
    }

    /**
     * The file is whole, and in its place: that only its name may not outlive a crash fails
     * nothing.
     */
    private void forceDirectory() {
        Path directory = file.getParent();
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            log.warn(
                    "'{}' is complete, but '{}' could not be forced to disk: after a crash of the"
                            + " system it may be missing",
                    target.path(),
                    directory,
                    e);
        }
    }

    private void check() throws MigrationException {
        if (released) {
            throw new MigrationException(
                    Blame.USER, "'" + target.path() + "': writing was given up");
        }
    }

    @Override
    public void release() {
        // Not under this object's lock: a hanging disk may keep that for ever.
        released = true;
        OpenFile opened = open;
        if (opened != null) opened.release();
    }

    @Override
    public synchronized void close() {
        if (open == null) return;
        if (!completed) takeBack();
        open.close();
        open = null;
    }

    private void takeBack() {
        try {
            if (part != null) Files.deleteIfExists(part);
            else if (device()) log.warn("'{}' is left half written", target.path());
            else if (sizeBefore < 0) Files.deleteIfExists(file);
            else open.cut(sizeBefore);
        } catch (IOException e) {
            log.warn(
                    "What was written and not completed stays in '{}'",
                    part == null ? file : part,
                    e);
        }
    }
}
