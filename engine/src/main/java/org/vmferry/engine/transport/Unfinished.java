package org.vmferry.engine.transport;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
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
 * <p>Dead ones are named, not removed: on a network file system without locks "dead" may only mean
 * "on another machine", and nobody asked us to delete.
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
        ProcessHandle me = ProcessHandle.current();
        byte[] random = new byte[RANDOM_BYTES];
        new SecureRandom().nextBytes(random);
        return target.resolveSibling(
                ".vmferry-%s-%d-%d-%s.part"
                        .formatted(
                                mark(target),
                                me.pid(),
                                start(me),
                                HexFormat.of().formatHex(random)));
    }

    private static String mark(Path target) {
        CRC32C sum = new CRC32C();
        sum.update(target.getFileName().toString().getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().toHexDigits((int) sum.getValue());
    }

    private static long start(ProcessHandle process) {
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
        } catch (IOException | java.nio.file.DirectoryIteratorException e) {
            // It is a courtesy; who opens the target will be told what is wrong.
        }
        return found;
    }

    private static void look(Path file, List<Unfinished> found) {
        Matcher m = NAME.matcher(file.getFileName().toString());
        if (!m.matches()) return;
        long pid = Long.parseLong(m.group(2));
        ProcessHandle me = ProcessHandle.current();
        boolean mine = pid == me.pid() && Long.parseLong(m.group(3)) == start(me);
        try {
            // Our own must not be probed: closing the probe would drop our lock on it.
            boolean alive = mine || locked(file);
            found.add(new Unfinished(file, pid, Files.size(file), alive));
        } catch (IOException e) {
            // Gone meanwhile.
        }
    }

    private static boolean locked(Path file) throws IOException {
        try (FileChannel probe = FileChannel.open(file, StandardOpenOption.READ);
                FileLock lock = probe.tryLock(0, Long.MAX_VALUE, true)) {
            return lock == null;
        } catch (OverlappingFileLockException e) {
            return true;
        } catch (IOException e) {
            // Can't be asked, so nothing may be said against it.
            return Files.exists(file);
        }
    }

    @Override
    public String toString() {
        return "'%s' (%d bytes, %s process %d)"
                .formatted(file, bytes, alive ? "being written by" : "left by killed", pid);
    }
}
