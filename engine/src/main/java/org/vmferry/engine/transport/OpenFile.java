package org.vmferry.engine.transport;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A file and its descriptors: one through the page cache; another around it, and one for mapping,
 * once they are asked for. All are of the very same file, also when its name has gone to another
 * one meanwhile.
 */
final class OpenFile implements AutoCloseable {
    private static final Logger log = Log.of(LocalFileTransport.class);
    // Guest RAM is as private as memory.
    private static final FileAttribute<?>[] PRIVATE = {
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
    };

    private final Path path;
    private final Path named;
    private final long start;
    private final boolean writable;
    private final @Nullable Object key; // null where files have none
    private final FileChannel channel;
    private final ChannelFile cached;
    private @Nullable ChannelFile direct;
    private Libc.@Nullable File mappable;
    private Libc.@Nullable File reserving;
    private long reserved;
    private @Nullable RandomAccessFile extender;
    private volatile @Nullable FileClaim claim;
    private volatile boolean released;

    private OpenFile(
            Path path,
            Path named,
            long start,
            boolean writable,
            @Nullable Object key,
            FileChannel channel) {
        this.path = path;
        this.named = named;
        this.start = start;
        this.writable = writable;
        this.key = key;
        this.channel = channel;
        cached = new ChannelFile(this, channel, 1);
    }

    static OpenFile open(Path path, long start, Set<StandardOpenOption> options)
            throws MigrationException {
        return open(path, path, start, options);
    }

    /** As above; messages call it what it is to become. */
    static OpenFile open(Path path, Path named, long start, Set<StandardOpenOption> options)
            throws MigrationException {
        boolean made = options.contains(StandardOpenOption.CREATE_NEW);
        boolean writable = options.contains(StandardOpenOption.WRITE);
        try {
            FileChannel channel =
                    FileChannel.open(
                            path, options, posix(path) ? PRIVATE : new FileAttribute<?>[0]);
            try {
                return new OpenFile(path, named, start, writable, key(path), channel);
            } catch (IOException | RuntimeException | Error e) {
                channel.close();
                if (made) Files.deleteIfExists(path);
                throw e;
            }
        } catch (IOException e) {
            throw Trouble.explain(made ? "create" : "open", named, e);
        }
    }

    static boolean posix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private static @Nullable Object key(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    }

    /**
     * Marks it as being written; where the file system has no locks, it goes without. Nobody who
     * reads it is held up: it may be restored as soon as it has its name.
     */
    void mark() {
        try {
            if (channel.tryLock(FileClaim.END, 1, false) == null)
                log.debug("'{}' is locked by somebody else", path);
        } catch (IOException e) {
            log.debug("No lock on '{}'", path, e);
        }
    }

    /**
     * Claims bytes of it until it is closed.
     *
     * @throws MigrationException if others use them: nothing was changed
     */
    void claim(FileClaim.Use use, long from, long to) throws IOException {
        claim = claimed(use, from, to);
    }

    private FileClaim claimed(FileClaim.Use use, long from, long to) throws IOException {
        FileClaim made = same(FileClaim.on(path, use));
        try {
            made.take(from, to);
            return made;
        } catch (IOException | RuntimeException | Error e) {
            made.close();
            throw e;
        }
    }

    /** Before bytes up to a position are written. */
    void claimUpTo(long end) throws IOException {
        FileClaim claimed = claim;
        if (claimed != null) claimed.upTo(end);
    }

    synchronized PositionedFile file(boolean around) throws IOException {
        check();
        if (!around) return cached;
        if (direct == null) {
            try {
                Set<OpenOption> options = new HashSet<>();
                options.add(StandardOpenOption.READ);
                if (writable) options.add(StandardOpenOption.WRITE);
                options.add(directOption());
                FileChannel opened = same(FileChannel.open(path, options));
                direct = new ChannelFile(this, opened, Room.block(path));
            } catch (MigrationException e) {
                throw e;
            } catch (IOException | UnsupportedOperationException e) {
                throw Trouble.user(
                        "'%s': its file system does not do direct-io (%s): choose another one, or leave direct-io off"
                                .formatted(path, e.getMessage()),
                        e);
            }
        }
        return direct;
    }

    /** By its name: javac warns of it, and there is no other way to O_DIRECT. */
    private static OpenOption directOption() {
        try {
            Class<?> options = Class.forName("com.sun.nio.file.ExtendedOpenOption");
            for (Object option : options.getEnumConstants()) {
                if (option.toString().equals("DIRECT")) return (OpenOption) option;
            }
        } catch (ClassNotFoundException e) {
            // Said below.
        }
        throw new UnsupportedOperationException("this JDK has no module jdk.unsupported");
    }

    /** Whether the path has been given to another file since. */
    private boolean isReplaced() {
        Object now;
        try {
            now = key(path);
        } catch (IOException e) {
            now = null;
        }
        return key != null && !key.equals(now);
    }

    private <C extends AutoCloseable> C same(C opened) throws IOException {
        if (!isReplaced()) return opened;
        try {
            opened.close();
        } catch (Exception e) {
            log.debug("Closing '{}'", path, e);
        }
        throw Trouble.transport(
                "'" + path + "' was replaced by another file while it was in use", null);
    }

    /** Through the system's own calls; empty where the JDK would have to warn or refuse. */
    private synchronized Optional<Libc.File> mappable() throws IOException {
        check();
        if (mappable == null && NativeCalls.available()) mappable = same(Libc.open(path, false));
        return Optional.ofNullable(mappable);
    }

    /** Of a file that has its path no more nothing is known, if it was not opened so before. */
    private synchronized Optional<Libc.File> askable() throws IOException {
        return mappable == null && isReplaced() ? Optional.empty() : mappable();
    }

    Optional<MemorySegment> map(long position, long length, Arena arena) throws IOException {
        long size = size();
        if (position < 0 || length <= 0 || position > size - length) {
            throw new IllegalArgumentException(
                    "'%s': can't map %d bytes at %d of %d".formatted(path, length, position, size));
        }
        Optional<Libc.File> system = mappable();
        // The stream that tells what is mapped goes with it.
        long from = Math.min(start, position);
        FileClaim mapped = claimed(FileClaim.Use.MAP, from, position + length);
        try {
            if (system.isEmpty()) return mapByJdk(position, length, arena);
            return Optional.of(system.get().map(position, length, arena, mapped::close));
        } catch (IOException | RuntimeException | Error e) {
            mapped.close();
            throw e;
        }
    }

    /** The JDK wants a file that is open for writing, though nothing is ever written to it. */
    private Optional<MemorySegment> mapByJdk(long position, long length, Arena arena)
            throws IOException {
        if (!Files.isWritable(path)) return Optional.empty();
        try (FileChannel both =
                same(FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE))) {
            return Optional.of(both.map(FileChannel.MapMode.PRIVATE, position, length, arena));
        } catch (java.nio.file.FileSystemException e) {
            log.debug("'{}' can't be mapped", path, e);
            return Optional.empty();
        }
    }

    long nextData(long position) throws IOException {
        Optional<Libc.File> system = askable();
        return system.isPresent() ? Math.max(position, system.get().nextData(position)) : position;
    }

    Path path() {
        return path;
    }

    /** Where it is: the path is absolute, and no root. */
    Path folder() {
        return Objects.requireNonNull(path.getParent());
    }

    /** What messages call it. */
    Path named() {
        return named;
    }

    /** Holds room for bytes from the file's beginning on; where the system can't, looks for it. */
    synchronized void reserve(long bytes) throws IOException {
        check();
        long more = bytes - reserved;
        if (more <= 0) return;
        int error = -1;
        if (NativeCalls.available()) {
            if (reserving == null) reserving = same(Libc.open(path, true));
            error = reserving.reserve(reserved, more);
        }
        String needed = bytes + " bytes";
        if (error == 0) {
            reserved = bytes;
        } else if (error == Libc.EDQUOT) {
            IOException quota = new IOException("Disk quota exceeded");
            throw Trouble.noRoom(named, needed, folder(), quota);
        } else if (error == Libc.ENOSPC || Room.in(folder()) < more) {
            throw Trouble.noRoom(named, needed, folder(), null);
        }
    }

    long start() {
        return start;
    }

    long size() throws IOException {
        return channel.size();
    }

    void force() throws IOException {
        channel.force(true);
        // Each descriptor tells of its own lost writes.
        synchronized (this) {
            if (direct != null) direct.force();
        }
    }

    /** A FileChannel makes a file longer by writing to it only; this leaves a hole. */
    synchronized void extend(long size) throws IOException {
        check();
        if (extender == null) extender = same(new RandomAccessFile(path.toFile(), "rw"));
        extender.setLength(size);
    }

    /** Also after a release. */
    void cut(long size) throws IOException {
        channel.truncate(size);
    }

    void check() throws MigrationException {
        if (released) {
            throw new MigrationException(Blame.USER, "'" + path + "' was given up");
        }
    }

    /** A transfer in the disk's hands can't be called back; whatever comes after it fails. */
    void release() {
        released = true;
    }

    @Override
    public synchronized void close() {
        released = true;
        // The cached one last: closing any descriptor of a file drops the process's lock on it.
        if (mappable != null) mappable.close();
        if (reserving != null) reserving.close();
        try (FileClaim used = claim;
                channel;
                ChannelFile first = direct;
                RandomAccessFile second = extender) {
            log.trace("Closing '{}', {}, {}, {}", path, used, first, second);
        } catch (IOException e) {
            log.debug("Closing '{}'", path, e);
        }
    }
}
