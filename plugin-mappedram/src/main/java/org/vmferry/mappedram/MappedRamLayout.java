package org.vmferry.mappedram;

import org.vmferry.spi.Status;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.ram.AvailableMemory;
import org.vmferry.spi.session.Session;

import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * RAM in a file, every page at its own place. Chosen by the capability {@code mapped-ram}; obeys
 * {@code direct-io}.
 */
@Status(Status.Level.STABLE)
public final class MappedRamLayout implements FileLayout {
    private final Supplier<OptionalLong> memory;

    /** For {@link java.util.ServiceLoader}. */
    public MappedRamLayout() {
        this(AvailableMemory::bytes);
    }

    /** With this in place of what the system says of its memory, in bytes. */
    MappedRamLayout(Supplier<OptionalLong> memory) {
        this.memory = memory;
    }

    @Override
    public String id() {
        return MappedRamOptions.MAPPED_RAM.name();
    }

    @Override
    public List<Option<?>> options() {
        return List.of(MappedRamOptions.MAPPED_RAM, MappedRamOptions.DIRECT_IO);
    }

    @Override
    public Saver saver(Session session) {
        return new MappedRamSaver(session, memory);
    }

    @Override
    public Loader loader(Session session) {
        return new MappedRamLoader(session);
    }
}
