package org.vmferry.engine.transport;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * Bytes of a file that are in use. The kernel remembers them, by the file and not by its name: they
 * are locked through a descriptor of the claim's own. So two engines in one process see each
 * other's as two processes do, whatever else is opened and closed of that file meanwhile; and the
 * claim goes when it is closed, or with its process.
 *
 * <p>Where the system or the file system has no such locks, only what this very process has mapped
 * is known. Programs that ask for no locks are not held up.
 *
 * <p>Safe for many threads.
 */
final class FileClaim implements AutoCloseable {
    /** What the bytes are used for. Only WRITE keeps the others out, and is kept out by them. */
    enum Use {
        /** A restore reads from here on. */
        READ,
        /** A save is going to cut or write them. */
        WRITE,
        /** A guest's RAM is mapped from the last of them. */
        MAP
    }

    /** Behind the last byte of any file. Further bytes are for {@link OpenFile#mark}. */
    static final long END = Long.MAX_VALUE - 1;

    private static final Logger log = Log.of(LocalFileTransport.class);

    /** No mapping is shorter. */
    private static final long SYSTEM_PAGE = 4096;

    /** Their servers make every lock mandatory: it would keep our own other descriptors out. */
    private static final Set<String> MANDATORY = Set.of("cifs", "smb3");

    private final Path path;
    private final FileTarget.Kind kind;
    private final Use use;
    // Null where there can be no locks.
    private Libc.@Nullable File locks;
    private volatile long to;

    private FileClaim(Path path, FileTarget.Kind kind, Use use, Libc.@Nullable File locks) {
        this.path = path;
        this.kind = kind;
        this.use = use;
        this.locks = locks;
    }

    /** Of what stands there; claims nothing yet. */
    static FileClaim on(Path path, Use use) throws IOException {
        FileTarget.Kind kind = FileTarget.kind(path);
        if (!NativeCalls.available()) {
            FileClaim claim = new FileClaim(path, kind, use, null);
            claim.unlocked(
                    "this JVM may not call the system (--enable-native-access, and not"
                            + " -Dvmferry.native=off)");
            return claim;
        }
        boolean writable = use == Use.WRITE;
        Path node = kind == FileTarget.Kind.BLOCK_DEVICE ? Mappings.node(path, writable) : path;
        return new FileClaim(path, kind, use, Libc.open(node, writable));
    }

    private void unlocked(String why) {
        switch (use) {
            case READ -> log.debug("'{}' is not locked: {}", path, why);
            case WRITE ->
                    log.warn(
                            "'{}' is not locked while it is written: {}. Whether another process"
                                    + " has mapped a guest's RAM from it is not known.",
                            path,
                            why);
            case MAP ->
                    log.warn(
                            "'{}' is not locked while a guest's RAM is mapped from it: {}. Another"
                                    + " process that writes to it destroys this guest.",
                            path,
                            why);
        }
    }

    /**
     * Claims bytes.
     *
     * @throws MigrationException if somebody else's claim is in the way: says whose, and what to do
     */
    synchronized void take(long from, long to) throws IOException {
        if (from >= to) return;
        if (locks != null) {
            Optional<Libc.Lock> other = Optional.empty();
            try {
                if (MANDATORY.contains(Files.getFileStore(path).type())) {
                    throw new IOException("its file system has no advisory locks");
                }
                other = locks.lock(use == Use.WRITE, from, to - from);
            } catch (IOException e) {
                unlocked(String.valueOf(e.getMessage()));
                close();
            }
            if (other.isPresent()) throw refused(from, other.get());
        }
        if (use == Use.WRITE) {
            Optional<Mappings.Bytes> mapped = Mappings.of(path, kind, from, to);
            if (mapped.isPresent()) throw mapped(from, mapped.get().from(), mapped.get().to());
        }
        this.to = to;
    }

    /** Claims what it has not got yet of the bytes before a position. */
    void upTo(long end) throws IOException {
        if (end <= to) return;
        synchronized (this) {
            if (end > to) take(to, end);
        }
    }

    private MigrationException refused(long from, Libc.Lock other) {
        String what = "'%s' from %d".formatted(path, from);
        if (other.process() > 0) {
            return MigrationException.user(
                    "can't %s %s: process %d has locked it, and is none of ours: choose another"
                            + " file, or end that process first",
                    verb(), what, other.process());
        }
        if (use != Use.WRITE) {
            return MigrationException.user(
                    "can't %s %s: it is being written, from %d on, and not whole yet: wait until"
                            + " that save is complete",
                    verb(), what, other.from());
        }
        if (other.exclusive()) {
            return MigrationException.user(
                    "can't write %s: another save is writing to it, from %d on: choose another"
                            + " file, or wait until that save is complete",
                    what, other.from());
        }
        if (other.length() >= SYSTEM_PAGE && other.to() < END) {
            return mapped(from, other.from(), other.to());
        }
        return MigrationException.user(
                "can't write %s: a restore, or another program, reads it, from %d on: choose"
                        + " another file, or wait until that has ended",
                what, other.from());
    }

    private String verb() {
        return switch (use) {
            case READ -> "read";
            case WRITE -> "write";
            case MAP -> "map";
        };
    }

    private MigrationException mapped(long start, long from, long to) {
        return MigrationException.user(
                "can't write '%s' from %d: a guest's RAM is mapped from its bytes %d to %d, and"
                        + " would be lost: choose another file%s, or end that guest first",
                path,
                start,
                from,
                to,
                kind == FileTarget.Kind.REGULAR
                        ? ", or no offset, which replaces the file and leaves the old one to the"
                                + " guest"
                        : " or place");
    }

    @Override
    public synchronized void close() {
        if (locks != null) locks.close();
        locks = null;
    }
}
