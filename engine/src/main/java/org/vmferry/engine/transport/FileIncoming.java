package org.vmferry.engine.transport;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;

/** Reads a snapshot. */
final class FileIncoming implements IncomingFile {
    private final OpenFile open;

    FileIncoming(FileTarget target) throws IOException {
        Path file = target.file();
        FileTarget.Kind kind = FileTarget.kind(file);
        switch (kind) {
            case REGULAR, BLOCK_DEVICE -> {}
            case MISSING -> throw missing(target, file);
            case DIRECTORY ->
                    throw MigrationException.user("'%s' is a directory, no file", target.path());
            case CHARACTER_DEVICE, STREAM ->
                    throw MigrationException.user(
                            "'%s' is neither a file nor a block device", target.path());
        }
        open = OpenFile.open(file, target.start(), Set.of(StandardOpenOption.READ));
        try {
            long size = open.size();
            if (target.start() > size) {
                throw MigrationException.user(
                        "'%s': offset %d lies beyond the file's %d bytes",
                        target.path(), target.start(), size);
            }
            // How long the stream is isn't known yet, and behind it a device may hold others.
            long to = kind == FileTarget.Kind.REGULAR ? FileClaim.END : target.start() + 1;
            open.claim(FileClaim.Use.READ, target.start(), to);
        } catch (RuntimeException | Error e) {
            open.close();
            throw e;
        } catch (IOException e) {
            open.close();
            throw Trouble.explain("read", file, e);
        }
    }

    private static MigrationException missing(FileTarget target, Path file) {
        List<Unfinished> leftovers = Unfinished.beside(file);
        if (leftovers.isEmpty()) {
            return MigrationException.user("'%s': there is no such file", target.path());
        }
        StringBuilder names = new StringBuilder();
        for (Unfinished u : leftovers) names.append(names.isEmpty() ? "" : ", ").append(u);
        return MigrationException.user(
                "'%s': there is no such file, but an unfinished snapshot: %s",
                target.path(), names);
    }

    @Override
    public PositionedFile file(boolean direct) throws IOException {
        return open.file(direct);
    }

    @Override
    public void release() {
        open.release();
    }

    @Override
    public void close() {
        open.close();
    }
}
