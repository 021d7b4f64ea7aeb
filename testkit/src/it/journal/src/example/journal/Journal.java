package example.journal;

import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationEvent.PrecopyDone;
import org.vmferry.spi.notifier.MigrationEvent.PrecopyFailed;
import org.vmferry.spi.notifier.MigrationEvent.PrecopySetup;
import org.vmferry.spi.notifier.MigrationInfo;
import org.vmferry.spi.notifier.MigrationInfo.Kind;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Parameter;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * Keeps a line of each event in the file that the system property {@code example.journal} names;
 * the parameter {@code journal-note} stands in it, such as who has ordered the migration. What
 * can't be written down must not happen.
 */
public final class Journal implements MigrationNotifier {
    private static final Parameter<String> NOTE = Parameter.text("journal-note");

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
    public List<Option<?>> options() {
        return List.of(NOTE);
    }

    @Override
    public boolean hears(MigrationInfo migration) {
        return migration.kind() != Kind.CONVERSION; // of what comes in, too
    }

    @Override
    public boolean failsClosed() {
        return true;
    }

    @Override
    public void notify(MigrationEvent event) {
        if (file == null) return;
        MigrationInfo migration = event.migration();
        String what =
                switch (event) {
                    case PrecopySetup setup -> "begins: " + migration.address();
                    case PrecopyDone done -> "done";
                    case PrecopyFailed failed -> "failed: " + failed.reason();
                };
        String line = migration.name() + " " + what + " " + migration.options().get(NOTE);
        try {
            Files.writeString(
                    file,
                    line.strip() + "\n",
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException("the journal " + file + " can't be written", e);
        }
    }
}
