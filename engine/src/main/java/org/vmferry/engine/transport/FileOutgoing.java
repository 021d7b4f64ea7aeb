package org.vmferry.engine.transport;

import org.jspecify.annotations.Nullable;
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
    private @Nullable Place looked; // null until it was
    private volatile @Nullable OpenFile open;
    // Null when written in place.
    private @Nullable Path part;
    // In place: how long the file is made again after a failure; -1 removes it.
    private long sizeBefore;
    // Bytes; 0 if nobody said.
    private long expected;
    private boolean completed;
    private volatile boolean released;

    FileOutgoing(FileTarget target) {
        this.target = target;
    }

    /** What is at the target. */
    private record Place(Path file, Path directory, FileTarget.Kind kind) {
        boolean isDevice() {
            return kind == FileTarget.Kind.BLOCK_DEVICE || kind == FileTarget.Kind.CHARACTER_DEVICE;
        }
    }

    private boolean inPlace(Place place) {
        return target.start() > 0 || place.isDevice();
    }

    /** Finds out what is at the target; changes nothing. */
    private Place look() throws IOException {
        if (looked != null) return looked;
        Path found = target.file();
        FileTarget.Kind kind = FileTarget.kind(found);
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
        Place place = new Place(found, directory, kind);
        looked = place;
        for (Unfinished u : Unfinished.beside(found)) {
            if (u.alive()) log.info("Another snapshot of that name is on its way: {}", u);
            else log.warn("Unfinished snapshot {}: remove it with: {}", u, u.removal());
        }
        return place;
    }

    @Override
    public synchronized void expect(long bytes) throws IOException {
        check();
        Place place = look();
        long room;
        try {
            room = room(place);
        } catch (IOException e) {
            throw Trouble.explain("ask for the space at", place.file, e);
        }
        if (bytes <= room) {
            expected = bytes;
            return;
        }
        long left = 0;
        for (Unfinished u : Unfinished.beside(place.file)) left += u.alive() ? 0 : u.bytes();
        throw Trouble.noRoom(
                target.path(),
                "up to " + bytes + " bytes",
                room
                        + " are free "
                        + (place.isDevice() ? "there" : "in '" + place.directory + "'")
                        + (left == 0 ? "" : " (unfinished snapshots beside it take " + left + ")"),
                null);
    }

    @Override
    public synchronized void reserve(long bytes) throws IOException {
        check();
        Place place = look();
        if (!inPlace(place)) {
            opened().reserve(bytes);
            return;
        }
        expect(bytes);
        if (!Files.isWritable(
                place.kind == FileTarget.Kind.MISSING ? place.directory : place.file)) {
            throw MigrationException.user("can't write '%s': no permission", target.path());
        }
    }

    private long room(Place place) throws IOException {
        if (place.kind == FileTarget.Kind.CHARACTER_DEVICE) return Long.MAX_VALUE;
        if (place.kind == FileTarget.Kind.BLOCK_DEVICE) {
            try (FileChannel device = FileChannel.open(place.file, StandardOpenOption.READ)) {
                return Math.max(0, device.size() - target.start());
            }
        }
        long usable = Room.in(place.directory);
        if (inPlace(place) && place.kind == FileTarget.Kind.REGULAR) {
            usable += Math.max(0, Files.size(place.file) - target.start()); // will be cut off
        }
        return usable < 0 ? Long.MAX_VALUE : usable; // also of the sum
    }

    @Override
    public synchronized PositionedFile file(boolean direct) throws IOException {
        return opened().file(direct);
    }

    private OpenFile opened() throws IOException {
        check();
        OpenFile there = open;
        if (there != null) return there;
        Place place = look();
        OpenFile made = inPlace(place) ? openInPlace(place) : openPart(place);
        open = made;
        if (part != null) made.mark();
        if (released) made.release();
        return made;
    }

    private OpenFile openInPlace(Place place) throws IOException {
        boolean made = place.kind == FileTarget.Kind.MISSING;
        OpenFile opened =
                OpenFile.open(
                        place.file,
                        target.start(),
                        made
                                ? Set.of(
                                        StandardOpenOption.READ,
                                        StandardOpenOption.WRITE,
                                        StandardOpenOption.CREATE_NEW)
                                : Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE));
        try {
            if (place.kind != FileTarget.Kind.CHARACTER_DEVICE) {
                opened.claim(FileClaim.Use.WRITE, target.start(), end(place));
            }
            if (!made) {
                log.info(
                        "Writing '{}' in place{}: it is not whole until the end, and what a failure"
                                + " leaves is not what stood there before",
                        target.path(),
                        target.start() > 0 ? " from offset " + target.start() : "");
            }
            sizeBefore = made ? -1 : Math.min(opened.size(), target.start());
            if (!place.isDevice()) opened.file(false).resize(target.start());
        } catch (IOException | RuntimeException | Error e) {
            opened.close();
            if (made) Files.deleteIfExists(place.file);
            if (e instanceof IOException io) throw Trouble.explain("cut", place.file, io);
            throw e;
        }
        return opened;
    }

    /**
     * A file loses all that follows; a device what is written over, and more is claimed by then.
     */
    private long end(Place place) {
        boolean known = place.kind == FileTarget.Kind.BLOCK_DEVICE && expected > 0;
        return known ? target.start() + expected : FileClaim.END;
    }

    private OpenFile openPart(Place place) throws IOException {
        // Renaming over it asks for no permission on the file itself; who protected it meant it.
        boolean replaces = place.kind == FileTarget.Kind.REGULAR;
        if (replaces && !Files.isWritable(place.file)) {
            throw MigrationException.user("can't replace '%s': no permission", target.path());
        }
        Path name = Unfinished.name(place.file);
        Replacement replacement = new Replacement(place.file, replaces);
        replacement.look();
        OpenFile opened =
                OpenFile.open(
                        name,
                        place.file,
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
        return opened;
    }

    @Override
    public synchronized void complete() throws IOException {
        check();
        OpenFile written = open;
        if (written == null) {
            throw new IllegalStateException("nothing was written to '" + target.path() + "'");
        }
        Place place = look();
        try {
            written.force();
            if (part != null) {
                if (place.kind == FileTarget.Kind.REGULAR) Rights.carry(place.file, part);
                check();
                Files.move(part, place.file, StandardCopyOption.ATOMIC_MOVE);
            }
            completed = true;
        } catch (IOException e) {
            throw Trouble.explain("complete", place.file, e);
        }
        if (part != null || sizeBefore < 0) forceDirectory(place.directory);
    }

    /**
     * The file is whole, and in its place: that only its name may not outlive a crash fails
     * nothing.
     */
    private void forceDirectory(Path directory) {
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
        OpenFile opened = open;
        Place place = looked;
        if (opened == null || place == null) return;
        if (!completed) takeBack(opened, place);
        opened.close();
        open = null;
    }

    private void takeBack(OpenFile opened, Place place) {
        try {
            if (part != null) Files.deleteIfExists(part);
            else if (place.isDevice()) log.warn("'{}' is left half written", target.path());
            else if (sizeBefore < 0) Files.deleteIfExists(place.file);
            else opened.cut(sizeBefore);
        } catch (IOException e) {
            log.warn(
                    "What was written and not completed stays in '{}'",
                    part == null ? place.file : part,
                    e);
        }
    }
}
