package org.vmferry.engine.migration;

import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.stream.Trailer;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.SectionStore;

import java.io.IOException;
import java.util.Optional;
import java.util.UUID;

/** Which machine it is that is sent (rule TRL-4): an archive's is the one that it was told. */
final class MachineUuid {
    private MachineUuid() {}

    /**
     * What its host says; else what came beside its stream; else what its stream says.
     *
     * @throws IOException if the host says one, and the stream that it keeps another: no
     *     destination would take both
     */
    static Optional<UUID> of(Machine machine) throws IOException {
        Optional<UUID> uuid = machine.uuid();
        Optional<SectionStore> store = machine.sections();
        if (store.isPresent()) {
            StreamHeader.checkUuid(store.get().configuration(), uuid);
            if (uuid.isEmpty()) uuid = kept(store.get());
        }
        return uuid.filter(id -> !id.equals(StreamHeader.NO_UUID));
    }

    private static Optional<UUID> kept(SectionStore store) throws IOException {
        Optional<UUID> told = new Trailer(store.facts(), Optional.empty()).uuid();
        return told.isPresent() ? told : StreamHeader.uuid(store.configuration());
    }
}
