package org.vmferry.cli;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.catalog.OptionReader;
import org.vmferry.engine.discovery.Plugin;
import org.vmferry.engine.discovery.PluginKind;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

import java.net.ConnectException;
import java.util.Optional;
import java.util.UUID;

/** Which machine it is, where its snapshot can't tell. */
final class UuidOption {
    @Option(
            names = "--uuid",
            paramLabel = "UUID",
            converter = Exact.class,
            description =
                    "The machine's UUID, which multifd's channels say (default: what the snapshot"
                            + " or the source says).")
    private UUID uuid;

    /** Tells an archive which machine it holds. */
    void tell(ArchiveMachine archive) {
        if (uuid != null) archive.uuid(uuid);
    }

    /**
     * A failure of a migration of a machine without a UUID: the destination may expect another, if
     * channels say it, and says so to its own log alone. Where it may be that, says what to do.
     */
    static MigrationException explained(MigrationException e, Engine engine, Settings settings)
            throws MigrationException {
        boolean gone = e.blame() == Blame.PEER || e.blame() == Blame.TRANSPORT;
        if (!gone || e.getCause() instanceof ConnectException) return e;
        Options options = new OptionReader(engine.options()).read(settings);
        Optional<Plugin> carrier = engine.plugins().pluginFor(PluginKind.CARRIER, options);
        if (carrier.isEmpty()) return e;
        return new MigrationException(
                e.blame(),
                e.getMessage()
                        + "; the snapshot does not tell its machine's UUID: if the destination has"
                        + " one (-uuid), "
                        + carrier.get().id()
                        + " needs it here too (--uuid)",
                e);
    }

    /** {@link UUID#fromString} takes short groups, too. */
    static final class Exact implements ITypeConverter<UUID> {
        @Override
        public UUID convert(String text) {
            try {
                UUID read = UUID.fromString(text);
                if (read.toString().equalsIgnoreCase(text)) return read;
            } catch (IllegalArgumentException e) {
                // said below
            }
            throw new TypeConversionException(
                    "'"
                            + text
                            + "' is no UUID: takes 32 hexadecimal digits, such as"
                            + " 4dea22b3-1d52-d8f3-2516-782e98ab3fa0");
        }
    }
}
