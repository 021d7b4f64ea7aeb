package org.vmferry.engine.transport;

import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;

/**
 * Tries, while there is nothing to lose yet, whether a new file can be given a name.
 *
 * @param target the name
 * @param there whether a file has it now
 */
record Replacement(Path target, boolean there) {
    private static final Path MOUNTS = Path.of("/proc/self/mountinfo");
    private static final int MOUNT_POINT = 4; // which word of a line

    /** Before anything is made: it could perhaps not be removed again. */
    void look() throws IOException {
        if (there && isMountPoint()) {
            throw MigrationException.user(
                    "can't replace '%s': another file or file system is mounted on it; unmount it,"
                            + " or write to another name",
                    target);
        }
        Path folder = Objects.requireNonNull(target.getParent()); // absolute, and no root
        if (NativeCalls.available() && Libc.appendOnly(folder)) {
            throw MigrationException.user(
                    "can't write '%s': its folder keeps every file that is made in it under its"
                            + " first name (chattr +a); write to another folder",
                    target);
        }
    }

    private boolean isMountPoint() throws IOException {
        if (!Files.isReadable(MOUNTS)) return false; // no Linux
        return isMountPoint(Files.readAllBytes(MOUNTS), target.toRealPath());
    }

    /**
     * Whether a table of mounts has a name. Others choose names in it, with any bytes: some are no
     * text, and some look like a line's end.
     */
    static boolean isMountPoint(byte[] mounts, Path name) {
        String wanted = name.toString();
        for (String line : new String(mounts, StandardCharsets.UTF_8).split("\n")) {
            String[] words = line.split(" ", MOUNT_POINT + 2);
            if (words.length > MOUNT_POINT && unescaped(words[MOUNT_POINT]).equals(wanted)) {
                return true;
            }
        }
        return false;
    }

    /** Spaces, tabs, newlines and backslashes are written as three octal digits. */
    private static String unescaped(String word) {
        return word.replace("\\040", " ")
                .replace("\\011", "\t")
                .replace("\\012", "\n")
                .replace("\\134", "\\");
    }

    /**
     * Renames something, and asks the system whether it would take the name away from who has it: a
     * file can't replace a folder with something in it, but before the system says so it looks
     * whether the file may be renamed at all. So a file of our own and the target must be refused
     * with the same words.
     *
     * @param part a file of ours beside it, which keeps its name
     */
    void tryOut(Path part) throws IOException {
        Path folder = Unfinished.name(target);
        Path first = folder.resolve("0");
        Path renamed = folder.resolve("1");
        try {
            Files.createDirectory(folder);
            Files.createFile(first);
            Files.move(first, renamed, StandardCopyOption.ATOMIC_MOVE);
            String usual = refused(part, folder);
            String said = Files.exists(target) ? refused(target, folder) : usual;
            if (!said.equals(usual)) {
                throw MigrationException.user("can't replace '%s': %s", target, said);
            }
        } catch (IOException e) {
            throw Trouble.explain("write", target, e);
        } finally {
            Files.deleteIfExists(first);
            Files.deleteIfExists(renamed);
            Files.deleteIfExists(folder);
        }
    }

    private String refused(Path file, Path folder) throws IOException {
        try {
            Files.move(file, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (AccessDeniedException e) {
            return "no permission";
        } catch (FileSystemException e) {
            return String.valueOf(e.getReason());
        }
        throw new IOException("'" + file + "' became a folder meanwhile");
    }
}
