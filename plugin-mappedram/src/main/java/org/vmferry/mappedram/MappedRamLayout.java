package org.vmferry.mappedram;

import org.vmferry.spi.Session;
import org.vmferry.spi.Status;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Parameter;

import java.util.List;
import java.util.Set;

/**
 * RAM in a file, every page at its own place. Chosen by the capability {@code mapped-ram}; obeys
 * {@code direct-io}.
 */
@Status(Status.Level.STABLE)
public final class MappedRamLayout implements FileLayout {
    /** The capability that chooses this layout, and what cannot go with it (rule MAP-16). */
    public static final Capability MAPPED_RAM =
            new Capability(
                    "mapped-ram",
                    Set.of(),
                    Set.of(
                            "xbzrle",
                            "postcopy-ram",
                            "postcopy-preempt",
                            "return-path",
                            "zero-copy-send"));

    /** Pages are written and read around the page cache (rule MAP-14). */
    public static final Parameter<Boolean> DIRECT_IO = Parameter.flag("direct-io", false);

    /** For {@link java.util.ServiceLoader}. */
    public MappedRamLayout() {}

    @Override
    public String id() {
        return MAPPED_RAM.name();
    }

    @Override
    public List<Option<?>> options() {
        return List.of(MAPPED_RAM, DIRECT_IO);
    }

    @Override
    public Saver saver(Session session) {
        return new MappedRamSaver(session);
    }

    @Override
    public Loader loader(Session session) {
        return new MappedRamLoader(session);
    }
}
