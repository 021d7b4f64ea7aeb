package org.vmferry.engine.transport;

import org.vmferry.engine.system.Inode;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.Printable;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * A snapshot that is being written, or was when its process died: it stands beside its target under
 * a name of its own, {@code .vmferry-TARGET-PID-START-RANDOM.part}. TARGET is the CRC32C of the
 * target's name, which may be as long as names can be; PID and START (ms since 1970) are its
 * process's; RANDOM nobody can know before. While it is written its process holds a lock on it, so
 * that a dead one is told from a live one also where process ids are reused, as in containers.
 *
 * <p>Dead ones are named, not removed: nobody asked us to delete. In a folder that others write to
 * anything may stand under such a name, so only plain files of our own user count, and only if the
 * system says that nobody holds a lock on them.
 *
 * @param file where it is
 * @param pid the process that wrote it
 * @param bytes its length
 * @param alive whether it is still written, or may be
 */
record Unfinished(Path file, long pid, long bytes, boolean alive) {
    private static final Pattern NAME =
            Pattern.compile("\\.vmferry-([0-9a-f]{8})-(\\d{1,18})-(\\d{1,18})-[0-9a-f]{32}\\.part");
    private static final int RANDOM_BYTES = 16;

    /** A name that nobody else has, for what is to become a target. */
    static Path name(Path target) {
        return target.resolveSibling(".vmferry-%s-%s.part".formatted(mark(target), maker()));
    }

    /** Which process it is, by its number and when it began, and 128 random bits. */
    static String maker() {
        ProcessHandle me = ProcessHandle.current();
        byte[] random = new byte[RANDOM_BYTES];
        new SecureRandom().nextBytes(random);
        return "%d-%d-%s".formatted(me.pid(), start(me), HexFormat.of().formatHex(random));
    }

    private static String mark(Path target) {
        CRC32C sum = new CRC32C();
        sum.update(target.getFileName().toString().getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().toHexDigits((int) sum.getValue());
    }

    static long start(ProcessHandle process) {
        return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }

    /** All that stand beside a target; none where its directory can't be read. */
    static List<Unfinished> beside(Path target) {
        List<Unfinished> found = new ArrayList<>();
        String wanted = mark(target);
        try (var files =
                Files.newDirectoryStream(
                        target.getParent(),
                        f -> {
                            Matcher m = NAME.matcher(f.getFileName().toString());
                            return m.matches() && m.group(1).equals(wanted);
                        })) {
            for (Path file : files) look(file, found);
        } catch (IOException | DirectoryIteratorException e) {
            // It is a courtesy; who opens the target will be told what is wrong.
        }
        return found;
    }

    private static void look(Path file, List<Unfinished> found) {
        Matcher m = NAME.matcher(file.getFileName().toString());
        if (!m.matches()) return;
        try {
            Optional<Inode> inode = Inode.of(file, LinkOption.NOFOLLOW_LINKS);
            if (inode.isPresent() && !isOurs(inode.get(), Inode.Type.FILE)) return;
            long pid = Long.parseLong(m.group(2));
            // Our own must not be probed: closing the probe would drop our lock on it.
            boolean alive = isMine(pid, Long.parseLong(m.group(3))) || locked(file);
            found.add(new Unfinished(file, pid, Files.size(file), alive));
        } catch (IOException e) {
            // Gone meanwhile.
        }
    }

    /** Of this user's, and what it must be. */
    static boolean isOurs(Inode inode, Inode.Type type) {
        return inode.type() == type && inode.isOurs();
    }

    private static boolean isMine(long pid, long start) {
        ProcessHandle me = ProcessHandle.current();
        return pid == me.pid() && start == start(me);
    }

    /** Whether a process holds a lock on a file, or may. */
    private static boolean locked(Path file) {
        try {
            if (NativeCalls.available()) {
                try (Libc.File probe = Libc.probe(file)) {
                    return probe.lock(false, 0, Long.MAX_VALUE).isPresent();
                }
            }
            try (FileChannel probe =
                            FileChannel.open(
                                    file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
                    FileLock lock = probe.tryLock(0, Long.MAX_VALUE, true)) {
                return lock == null;
            }
        } catch (OverlappingFileLockException e) {
            return true;
        } catch (IOException e) {
            return true; // can't be asked, so nothing may be said against it
        }
    }

    /**
     * Whether something in a folder is still being written, or may be.
     *
     * @return empty if no such file is in it
     */
    static Optional<Boolean> anyAlive(Path folder) throws IOException {
        List<Unfinished> found = new ArrayList<>();
        try (var files = Files.newDirectoryStream(folder)) {
            for (Path file : files) look(file, found);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        if (found.isEmpty()) return Optional.empty();
        return Optional.of(found.stream().anyMatch(Unfinished::alive));
    }

    /** What to type to remove it. */
    String removal() {
        return "rm -- " + Printable.shellWord(file.toString());
    }

    @Override
    public String toString() {
        return "'%s' (%d bytes, %s process %d)"
                .formatted(
                        Printable.line(file.toString()),
                        bytes,
                        alive ? "being written by" : "left by killed",
                        pid);
    }
}
