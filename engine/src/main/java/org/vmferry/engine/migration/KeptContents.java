package org.vmferry.engine.migration;

import org.vmferry.engine.stream.KeptReader;
import org.vmferry.engine.stream.KeptSections;
import org.vmferry.engine.stream.SectionWriter;
import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.engine.stream.StreamOut;
import org.vmferry.engine.stream.StreamReader;
import org.vmferry.engine.stream.Trailer;
import org.vmferry.spi.machine.MachineArchive;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.machine.SectionStore.Fact;
import org.vmferry.spi.option.Options;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** An archive's sections. */
record KeptContents(MachineArchive archive) implements Contents {
    /**
     * What its host says; else what came beside its stream; else what its stream says.
     *
     * @throws IOException if the host says one, and the stream that it keeps another: no
     *     destination would take both
     */
    @Override
    public Optional<UUID> uuid() throws IOException {
        Optional<UUID> uuid = archive.uuid();
        Configuration configuration = archive.sections().configuration();
        StreamHeader.checkUuid(configuration, uuid);
        if (uuid.isEmpty()) uuid = new Trailer(facts(), Optional.empty()).uuid();
        if (uuid.isEmpty()) uuid = StreamHeader.uuid(configuration);
        return uuid.filter(id -> !id.equals(StreamHeader.NO_UUID));
    }

    @Override
    public Configuration configuration(int pageSize, Options options) throws IOException {
        return StreamHeader.withCapabilities(archive.sections().configuration(), options);
    }

    @Override
    public SectionWriter writer(StreamOut out, Configuration configuration, int pageSize)
            throws IOException {
        return new KeptSections(out, archive.sections(), configuration);
    }

    @Override
    public List<Fact> facts() throws IOException {
        return archive.sections().facts();
    }

    @Override
    public boolean asIs() throws IOException {
        return KeptSections.asIs(archive.sections());
    }

    @Override
    public void begin(Configuration configuration, MigrationSession session) throws IOException {
        archive.sections().keep(configuration);
        if (archive.uuid().isPresent()) return;
        session.takeUuid();
        StreamHeader.uuid(configuration).ifPresent(session::took);
    }

    @Override
    public StreamReader reader(
            MigrationSession session, StreamIn in, StreamReader.Handler handler) {
        return new KeptReader(session, in, handler, archive.sections());
    }

    @Override
    public void keep(List<Fact> facts) throws IOException {
        archive.sections().keepFacts(facts);
    }
}
