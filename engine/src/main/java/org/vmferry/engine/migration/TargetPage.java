package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.ram.InlineLayout;
import org.vmferry.engine.ram.PageSizeSearch;
import org.vmferry.engine.stream.PageSizeTable;
import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.RamLayout.Loader;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * The target's page, as it was settled before RAM's first record is read (rule STR-16).
 *
 * @param size bytes
 * @param by who said so, in words
 */
record TargetPage(int size, String by) {
    private static final Logger LOG = LoggerFactory.getLogger(TargetPage.class);

    /** What is taken where nothing makes sense: reading it says what is wrong. */
    private static final int ANY = 4096;

    /** Holds it against what the VMDESCRIPTION says. */
    void check(long described) throws MigrationException {
        if (described == size) return;
        throw MigrationException.user(
                "the machine has pages of %d bytes, as the VMDESCRIPTION says, and its RAM was read"
                        + " in pages of %d, as %s: nothing of it can be used; set page-size"
                        + " (--page-size) to %d",
                described, size, by, described);
    }

    /** Looks for it. */
    record Search(MigrationSession session, StreamIn in, Configuration configuration) {
        /** The first that says it, in the rule's order. */
        TargetPage settle(Machine machine, Parts parts, Loader loader) throws IOException {
            int option = session.options().get(EngineOptions.PAGE_SIZE);
            if (option != 0) checked(option, "page-size");
            TargetPage page = find(machine, parts, loader, option);
            if (option != 0 && option != page.size) {
                LOG.warn(
                        "{}: page-size {} is not used: pages have {} bytes, as {}",
                        session.name(),
                        option,
                        page.size,
                        page.by);
            }
            LOG.debug("{}: pages have {} bytes, as {}", session.name(), page.size, page.by);
            return page;
        }

        private TargetPage find(Machine machine, Parts parts, Loader loader, int option)
                throws IOException {
            OptionalInt said = StreamHeader.pageSize(configuration);
            if (said.isPresent()) return new TargetPage(said.getAsInt(), "the stream says");
            OptionalLong header =
                    parts.layout().placed()
                            ? PageSizeSearch.header(in, session, loader)
                            : OptionalLong.empty();
            if (header.isPresent()) {
                checked(header.getAsLong(), "the page size in the first block's header");
                return new TargetPage((int) header.getAsLong(), "its header says");
            }
            String name = configuration.machine();
            OptionalInt known = PageSizeTable.of(name);
            if (known.isPresent()) {
                return new TargetPage(known.getAsInt(), "machines '" + name + "' have");
            }
            if (machine.sections().isEmpty()) {
                List<RamBlock> own = List.copyOf(machine.ram().blocks());
                if (!own.isEmpty()) {
                    return new TargetPage(own.getFirst().pageSize(), "the machine here has");
                }
            }
            boolean inline =
                    parts.layout().id().equals(InlineLayout.ID)
                            && parts.carrier().channelMagic() == 0;
            OptionalInt told = inline ? PageSizeSearch.records(in, session) : OptionalInt.empty();
            if (told.isPresent() && told.getAsInt() == 0) {
                return new TargetPage(option == 0 ? ANY : option, "was assumed");
            }
            if (told.isPresent()) return new TargetPage(told.getAsInt(), "its records tell");
            if (option != 0) return new TargetPage(option, "page-size says");
            throw MigrationException.user(
                    "how large a page of machine '%s' is nobody says: its stream doesn't, its name"
                            + " is not known for it, and its RAM %s; set page-size (--page-size) to"
                            + " its target's, such as 4096",
                    name,
                    inline
                            ? "can be read with several sizes"
                            : "can't be asked before it comes over other channels");
        }

        private static void checked(long size, String what) throws MigrationException {
            if (Long.bitCount(size) == 1
                    && size >= StreamHeader.SMALLEST_PAGE
                    && size <= StreamHeader.LARGEST_PAGE) return;
            throw MigrationException.peer(
                    "%s is %s: allowed is a power of two from %d to %d",
                    what,
                    Long.toUnsignedString(size),
                    StreamHeader.SMALLEST_PAGE,
                    StreamHeader.LARGEST_PAGE);
        }
    }
}
