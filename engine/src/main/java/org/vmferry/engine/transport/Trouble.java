package org.vmferry.engine.transport;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Says in one sentence what the system refused. */
final class Trouble {
    private Trouble() {}

    static MigrationException explain(String what, Path file, IOException e) {
        return switch (e) {
            case MigrationException m -> m;
            case NoSuchFileException n ->
                    user(
                            "can't " + what + " '" + file + "': there is no such file or directory",
                            e);
            case AccessDeniedException a ->
                    user("can't " + what + " '" + file + "': no permission", e);
            case FileSystemException f when f.getReason() != null ->
                    transport("can't " + what + " '" + file + "': " + f.getReason(), e);
            default -> transport("can't " + what + " '" + file + "': " + e.getMessage(), e);
        };
    }

    static MigrationException user(String sentence, Throwable cause) {
        return new MigrationException(Blame.USER, sentence, cause);
    }

    static MigrationException transport(String sentence, Throwable cause) {
        return new MigrationException(Blame.TRANSPORT, sentence, cause);
    }
}
