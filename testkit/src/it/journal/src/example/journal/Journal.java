package example.journal;

import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationEvent.PrecopyDone;
import org.vmferry.spi.notifier.MigrationEvent.PrecopyFailed;
import org.vmferry.spi.notifier.MigrationEvent.PrecopySetup;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.notifier.MigrationVeto;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Keeps a line of each event in the file that the system property {@code example.journal} names.
 * What can't be written down must not happen: then it forbids the migration.
 */
public final class Journal implements MigrationNotifier {
    private final Path file;

    /** For {@code ServiceLoader}. */
    public Journal() {
        String name = System.getProperty("example.journal");
        this(name == null ? null : Path.of(name));
    }

    Journal(Path file) {
        this.file = file;
    }

    @Override
    public String id() {
        return "journal";
    }

    @Override
    public void notify(MigrationEvent event) throws MigrationVeto {
        if (file == null) return;
        String line =
                switch (event) {
                    case PrecopySetup setup -> "begins";
                    case PrecopyDone done -> "done";
                    case PrecopyFailed failed -> "failed: " + failed.reason();
                };
        try {
            Files.writeString(
                    file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            if (event instanceof PrecopySetup) {
                throw new MigrationVeto("the journal " + file + " can't be written: " + e);
            }
            System.getLogger("example.journal").log(Level.WARNING, "'" + line + "' is lost", e);
        }
    }
}
