package org.vmferry.mappedram;

import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Parameter;

import java.util.Set;

/** What the layout obeys. */
final class MappedRamOptions {
    /** The capability that chooses this layout, and what cannot go with it (rule MAP-16). */
    static final Capability MAPPED_RAM =
            new Capability(
                    "mapped-ram",
                    Set.of(),
                    Set.of(
                            "xbzrle",
                            "postcopy-ram",
                            "postcopy-preempt",
                            "return-path",
                            "zero-copy-send"));

    /**
     * Pages are written and read around the page cache (rule MAP-14). A save for which nobody has
     * set it finds out by itself (rule MAP-19).
     */
    static final Parameter<Boolean> DIRECT_IO = Parameter.flag("direct-io", false);

    private MappedRamOptions() {}
}
