package org.vmferry.engine.migration;

import org.vmferry.engine.stream.SectionWriter;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.engine.stream.StreamOut;
import org.vmferry.engine.stream.StreamReader;
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.MachineArchive;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.machine.SectionStore.Fact;
import org.vmferry.spi.option.Options;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * What a machine has beside RAM, and how a stream takes and brings it: by devices that know their
 * state, or in sections that are kept. Chosen once for each side of a migration.
 */
interface Contents {
    /** Those of a machine. */
    static Contents of(Migratable machine) {
        return switch (machine) {
            case Machine ours -> new DeviceContents(ours);
            case MachineArchive archive -> new KeptContents(archive);
        };
    }

    /** Which machine it is that is sent (rule TRL-4). */
    Optional<UUID> uuid() throws IOException;

    /** What the stream is to begin with. */
    Configuration configuration(int pageSize, Options options) throws IOException;

    /** What writes all of it around RAM, behind that configuration. */
    SectionWriter writer(StreamOut out, Configuration configuration, int pageSize)
            throws IOException;

    /** What a snapshot's text is to say. */
    default List<Fact> facts() throws IOException {
        return List.of();
    }

    /** Slows the guest down. */
    default Optional<CpuThrottle> throttle() {
        return Optional.empty();
    }

    /** Whether some is written as it came, and may hold parts of RAM. */
    default boolean asIs() throws IOException {
        return false;
    }

    /** A stream begins so: it is for this machine, or is refused. */
    void begin(Configuration configuration, MigrationSession session) throws IOException;

    /** What reads all of it, and has it loaded or kept. */
    StreamReader reader(MigrationSession session, StreamIn in, StreamReader.Handler handler);

    /** How large a page of its RAM is, if that is known before any came. */
    default Optional<Integer> pageSize() {
        return Optional.empty();
    }

    /** What no section says. */
    default void keep(List<Fact> facts) throws IOException {}
}
