package org.vmferry.cli;

import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** A file that appears under its name only when it is complete and on disk. */
final class NewFile implements AutoCloseable {
    private final Path name;
    private final Path work;

    private NewFile(Path name, Path work) {
        this.name = name;
        this.work = work;
    }

    /**
     * Begins a file.
     *
     * @param name what it will be called; a file of that name stays until {@link #complete}
     * @throws IOException if its directory can't be written
     */
    static NewFile named(Path name) throws IOException {
        if (Files.exists(name) && !Files.isRegularFile(name))
            throw MigrationException.user("%s is no file, so it can't be replaced", name);
        // A link stays a link: what it points to is replaced.
        Path target = Files.exists(name) ? name.toRealPath() : name.toAbsolutePath();
        Path directory = directory(target);
        Path work = Files.createTempFile(directory, ".vmferry-", ".part");
        return new NewFile(target, work);
    }

    /** The directory that a file lies in. */
    static Path directory(Path file) {
        Path parent = file.toAbsolutePath().getParent();
        return parent == null ? Path.of("/") : parent;
    }

    /** Where to write it. */
    Path path() {
        return work;
    }

    /** Forces it to disk and gives it its name. */
    void complete() throws IOException {
        try (FileChannel file = FileChannel.open(work, StandardOpenOption.WRITE)) {
            file.force(true);
        }
        Files.move(work, name, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel directory = FileChannel.open(directory(name), StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    /** Takes it back unless it is complete. */
    @Override
    public void close() throws IOException {
        Files.deleteIfExists(work);
    }
}
