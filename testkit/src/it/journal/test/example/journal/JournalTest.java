package example.journal;

import org.junit.jupiter.api.io.TempDir;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.testkit.conformance.NotifierConformance;

import java.nio.file.Path;
import java.util.Optional;

class JournalTest extends NotifierConformance {
    @TempDir Path directory;

    @Override
    protected MigrationNotifier provider() {
        return new Journal(directory.resolve("journal.txt"));
    }

    @Override
    protected Optional<MigrationNotifier> forbidding() {
        return Optional.of(new Journal(directory));
    }
}
