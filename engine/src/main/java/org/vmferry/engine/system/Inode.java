package org.vmferry.engine.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What a Unix system knows of a file besides its bytes.
 *
 * @param mode st_mode
 * @param uid its owner's number
 * @param gid its group's number
 * @param size in bytes
 */
public record Inode(int mode, int uid, int gid, long size) {
    /** What can stand under a name. */
    public enum Type {
        FILE,
        FOLDER,
        LINK,
        BLOCK_DEVICE,
        CHARACTER_DEVICE,
        SOCKET,
        PIPE
    }

    private static final int S_IFMT = 0170000; // these bits all Unixes have alike
    private static final int S_ISVTX = 01000;
    private static final int S_IWGRP = 020;
    private static final int S_IWOTH = 02;
    private static final String ATTRIBUTES = "unix:mode,uid,gid,size";
    private static final Path ME = Path.of("/proc/self");

    /**
     * Of what a name stands for.
     *
     * @param file its name
     * @param links whether the link is meant, if it is one
     * @return empty where the system is no Unix
     * @throws IOException if there is nothing, or it can't be asked
     */
    public static Optional<Inode> of(Path file, LinkOption... links) throws IOException {
        if (!file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
            return Optional.empty();
        }
        Map<String, Object> found = Files.readAttributes(file, ATTRIBUTES, links);
        return Optional.of(
                new Inode(
                        (int) found.get("mode"),
                        (int) found.get("uid"),
                        (int) found.get("gid"),
                        (long) found.get("size")));
    }

    /**
     * Which block device a name stands for: any of its nodes.
     *
     * @param file its name
     * @return its number; empty if it is none, or the system is no Unix
     * @throws IOException if there is nothing, or it can't be asked
     */
    public static Optional<Long> device(Path file) throws IOException {
        if (of(file).filter(inode -> inode.type() == Type.BLOCK_DEVICE).isEmpty())
            return Optional.empty();
        return Optional.of(((Number) Files.getAttribute(file, "unix:rdev")).longValue());
    }

    /**
     * The user that this process acts for.
     *
     * @return its number; empty where the system does not tell it by a folder for each process
     */
    public static Optional<Integer> me() {
        try {
            return of(ME).map(Inode::uid);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /**
     * What it is.
     *
     * @return PIPE for whatever is none of the others
     */
    public Type type() {
        return switch (mode & S_IFMT) {
            case 0100000 -> Type.FILE;
            case 0040000 -> Type.FOLDER;
            case 0120000 -> Type.LINK;
            case 0060000 -> Type.BLOCK_DEVICE;
            case 0020000 -> Type.CHARACTER_DEVICE;
            case 0140000 -> Type.SOCKET;
            default -> Type.PIPE;
        };
    }

    /**
     * Whether it is this user's.
     *
     * @return false if it can't be told
     */
    public boolean isOurs() {
        return me().filter(me -> me == uid).isPresent();
    }

    /**
     * Whether in this folder nobody may rename or remove what is another's.
     *
     * @return as in /tmp
     */
    public boolean isSticky() {
        return (mode & S_ISVTX) != 0;
    }

    /**
     * Whether its group may write to it.
     *
     * @return the permission
     */
    public boolean groupWrites() {
        return (mode & S_IWGRP) != 0;
    }

    /**
     * Whether everybody may write to it.
     *
     * @return the permission
     */
    public boolean othersWrite() {
        return (mode & S_IWOTH) != 0;
    }
}
