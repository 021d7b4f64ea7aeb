package org.vmferry.multifd;

import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Parameter;

import java.util.List;
import java.util.Set;

/** What the carrier and the zlib codec obey. */
final class MultifdOptions {
    /** The switch. Its workers are in the way of a stream that refers to its own past. */
    static final Capability MULTIFD =
            new Capability("multifd", Set.of(), Set.of("xbzrle", "postcopy-ram"));

    /** How many channels, or over a file how many workers. Both ends need the same. */
    static final Parameter<Integer> CHANNELS = Parameter.count("multifd-channels", 2, 1, 255);

    /** A value of {@link #ZERO_PAGES}: the channels look, and list them in their packets. */
    static final String BY_CHANNELS = "multifd";

    /** Another one: the migration thread looks, and says so in the main stream. */
    static final String LEGACY = "legacy";

    /** Who looks for zero pages, if anybody does (rule MFD-14). */
    static final Parameter<String> ZERO_PAGES =
            Parameter.choice("zero-page-detection", List.of(BY_CHANNELS, LEGACY, "none"));

    /** The old way to synchronise, for a peer up to QEMU 8.0 (rule MFD-16). */
    static final Parameter<Boolean> FLUSH_EACH_SECTION =
            Parameter.flag("multifd-flush-after-each-section", false);

    /** From none at all to best. */
    static final Parameter<Integer> ZLIB_LEVEL = Parameter.count("multifd-zlib-level", 1, 0, 9);

    /** Those of the carrier. */
    static final List<Option<?>> OF_CARRIER =
            List.of(MULTIFD, CHANNELS, ZERO_PAGES, FLUSH_EACH_SECTION);

    private MultifdOptions() {}
}
