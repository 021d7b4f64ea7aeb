package org.vmferry.it.fuzz;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.MachineArchive;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The command's archive, which notes how far a load comes. */
final class NotingArchive implements MachineArchive, AutoCloseable {
    private final ArchiveMachine real;
    private final Trial trial;

    NotingArchive(Path folder, Trial trial) throws IOException {
        this.real = ArchiveMachine.in(folder);
        this.trial = trial;
    }

    @Override
    public Optional<UUID> uuid() {
        return real.uuid();
    }

    @Override
    public RunState runState() {
        return real.runState();
    }

    @Override
    public void enter(RunState state) throws MigrationException {
        real.enter(state);
    }

    @Override
    public RamProvider ram() {
        return real.ram();
    }

    @Override
    public RamTarget ramTarget() {
        RamTarget target = real.ramTarget();
        return new RamTarget() {
            @Override
            public RamBlock open(BlockHeader header) throws MigrationException {
                trial.begins();
                return new ForwardingBlock(target.open(header)) {
                    @Override
                    public void write(long offset, MemorySegment source) {
                        trial.page = true;
                        super.write(offset, source);
                    }
                };
            }

            @Override
            public void missing(BlockHeader header) throws MigrationException {
                target.missing(header);
            }
        };
    }

    @Override
    public SectionStore sections() {
        SectionStore store = real.sections();
        return new SectionStore() {
            @Override
            public void keep(Configuration configuration) throws IOException {
                trial.header = true;
                store.keep(configuration);
            }

            @Override
            public void keep(Section section) throws IOException {
                trial.device = true;
                store.keep(section);
            }

            @Override
            public void keepDescription(byte[] json) throws IOException {
                store.keepDescription(json);
            }

            @Override
            public Configuration configuration() throws IOException {
                return store.configuration();
            }

            @Override
            public Iterable<Section> sections() throws IOException {
                return store.sections();
            }

            @Override
            public byte[] description() throws IOException {
                return store.description();
            }

            @Override
            public void lost(MigrationException why) throws MigrationException {
                store.lost(why);
            }

            @Override
            public void keepFacts(List<Fact> facts) throws IOException {
                store.keepFacts(facts);
            }

            @Override
            public List<Fact> facts() throws IOException {
                return store.facts();
            }

            @Override
            public Path scratch() {
                return store.scratch();
            }
        };
    }

    @Override
    public void close() throws IOException {
        real.close();
    }
}
