package org.vmferry.engine.transport;

import org.vmferry.engine.system.Inode;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Address;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a {@code file:} address says.
 *
 * @param path as typed
 * @param offset where the stream begins, in bytes; empty if the address has none
 */
record FileTarget(Path path, OptionalLong offset) {
    private static final String OFFSET = ",offset=";
    private static final int MOST_LINKS = 40;

    /** What stands under a path now. */
    enum Kind {
        MISSING,
        REGULAR,
        DIRECTORY,
        BLOCK_DEVICE,
        CHARACTER_DEVICE,
        /** A pipe or socket: has no positions. */
        STREAM
    }

    static FileTarget parse(Address address) throws MigrationException {
        String text = address.target();
        // A path may hold ",offset=" itself: only the last one counts.
        int comma = text.lastIndexOf(OFFSET);
        String name = comma < 0 ? text : text.substring(0, comma);
        OptionalLong offset =
                comma < 0
                        ? OptionalLong.empty()
                        : OptionalLong.of(bytes(address, text.substring(comma + OFFSET.length())));
        return new FileTarget(path(address, name), offset);
    }

    /** Of an address that is a file's name and nothing else. */
    static FileTarget named(Address address) throws MigrationException {
        return new FileTarget(path(address, address.target()), OptionalLong.empty());
    }

    private static Path path(Address address, String name) throws MigrationException {
        if (name.isEmpty()) throw MigrationException.user("'%s' names no file", address);
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw Trouble.unnamed(address, e);
        }
    }

    private static long bytes(Address address, String text) throws MigrationException {
        String digits = text.isEmpty() ? text : text.substring(0, text.length() - 1);
        int shift =
                switch (text.isEmpty() ? ' ' : text.charAt(text.length() - 1)) {
                    case 'k', 'K' -> 10;
                    case 'm', 'M' -> 20;
                    case 'g', 'G' -> 30;
                    default -> {
                        digits = text;
                        yield 0;
                    }
                };
        try {
            long number = Long.parseLong(digits);
            if (number >= 0 && number <= Long.MAX_VALUE >> shift) return number << shift;
        } catch (NumberFormatException e) {
            // Said below, with what is allowed.
        }
        throw MigrationException.user(
                "'%s': offset '%s' is none: it takes a number of bytes from 0, with k, M or G"
                        + " after it or nothing",
                address, text);
    }

    /** Where the stream begins. */
    long start() {
        return offset.orElse(0);
    }

    /** The file behind symbolic links, which need not exist yet. */
    Path file() throws IOException {
        Path file = path.toAbsolutePath();
        for (int links = 0; Files.isSymbolicLink(file); links++) {
            if (links == MOST_LINKS) {
                throw MigrationException.user(
                        "'%s': more than %d symbolic links, one behind the other",
                        path, MOST_LINKS);
            }
            refusePlanted(file);
            file = file.resolveSibling(Files.readSymbolicLink(file));
        }
        return file;
    }

    /** What the kernel refuses to follow itself (protected_symlinks): this does it by hand. */
    private static void refusePlanted(Path link) throws IOException {
        Optional<Inode> folder = Inode.of(link.resolveSibling("."));
        if (folder.isEmpty() || !folder.get().isSticky() || !folder.get().othersWrite()) return;
        Inode planted = Inode.of(link, LinkOption.NOFOLLOW_LINKS).orElseThrow();
        if (planted.isOurs() || planted.uid() == folder.get().uid()) return;
        throw MigrationException.user(
                "'%s' is a symbolic link that another user (%d) made in a folder where everybody"
                        + " may: name the file that is meant, or remove the link",
                link, planted.uid());
    }

    static Kind kind(Path file) throws IOException {
        try {
            Optional<Inode> inode = Inode.of(file);
            if (inode.isEmpty()) return elsewhere(file);
            return switch (inode.get().type()) {
                case FILE -> Kind.REGULAR;
                case FOLDER -> Kind.DIRECTORY;
                case BLOCK_DEVICE -> Kind.BLOCK_DEVICE;
                case CHARACTER_DEVICE -> Kind.CHARACTER_DEVICE;
                case SOCKET, PIPE, LINK -> Kind.STREAM;
            };
        } catch (NoSuchFileException e) {
            return Kind.MISSING;
        } catch (IOException e) {
            throw Trouble.explain("open", file, e);
        }
    }

    /** Where the system is no Unix. */
    private static Kind elsewhere(Path file) {
        if (Files.isDirectory(file)) return Kind.DIRECTORY;
        return Files.exists(file) ? Kind.REGULAR : Kind.MISSING;
    }
}
