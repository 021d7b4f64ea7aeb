package org.vmferry.cli;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

import java.net.ConnectException;
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
     * A failure of a migration with multifd of a machine without a UUID: the destination may expect
     * another, and says so to its own log alone. Where it may be that, says what to do.
     */
    static MigrationException explained(MigrationException e) {
        boolean gone = e.blame() == Blame.PEER || e.blame() == Blame.TRANSPORT;
        if (!gone || e.getCause() instanceof ConnectException) return e;
        return new MigrationException(
                e.blame(),
                e.getMessage()
                        + "; the snapshot does not tell its machine's UUID: if the destination has"
                        + " one (-uuid), multifd needs it here too (--uuid)",
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
