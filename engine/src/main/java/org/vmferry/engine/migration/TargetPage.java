package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.ram.PageSizeSearch;
import org.vmferry.engine.ram.PlacedIn;
import org.vmferry.engine.ram.RamIn;
import org.vmferry.engine.stream.PageSizeTable;
import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore.Configuration;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The target's page, as it was settled before RAM's first record is read (rule STR-16).
 *
 * @param size bytes
 * @param by who said so, in words
 */
record TargetPage(int size, String by) {
    private static final Logger LOG = Log.of(TargetPage.class);

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
        TargetPage settle(Contents contents, Route route, RamIn ram) throws IOException {
            int option = session.options().get(EngineOptions.PAGE_SIZE);
            if (option != 0) checked(option, "page-size");
            Optional<TargetPage> certain = certain(contents, ram);
            TargetPage page =
                    certain.isPresent() ? agreed(certain.get(), option) : likely(route, option);
            LOG.debug("{}: pages have {} bytes, as {}", session.name(), page.size, page.by);
            return page;
        }

        private Optional<TargetPage> certain(Contents contents, RamIn ram) throws IOException {
            OptionalInt said = StreamHeader.pageSize(configuration);
            if (said.isPresent()) {
                return Optional.of(new TargetPage(said.getAsInt(), "the stream says"));
            }
            if (ram instanceof PlacedIn placed) {
                OptionalLong header = PageSizeSearch.header(in, session, placed);
                if (header.isPresent()) {
                    checked(header.getAsLong(), "the page size in the first block's header");
                    return Optional.of(
                            new TargetPage(
                                    (int) header.getAsLong(), "the first block's header says"));
                }
            }
            return contents.pageSize().map(own -> new TargetPage(own, "the machine here has them"));
        }

        /** A table and records know most; who says it himself is held against the records. */
        private TargetPage likely(Route route, int option) throws IOException {
            String name = configuration.machine();
            boolean listed = route.layout().isEmpty();
            OptionalInt known =
                    PageSizeTable.of(
                            name, listed ? PageSizeSearch.blockNames(in, session) : Set.of());
            if (option == 0 && known.isPresent()) {
                return new TargetPage(known.getAsInt(), "machines '" + name + "' have them");
            }
            boolean inline = listed && route.carrier().isEmpty();
            OptionalInt told = inline ? PageSizeSearch.records(in, session) : OptionalInt.empty();
            if (told.isPresent() && told.getAsInt() != 0) {
                return agreed(new TargetPage(told.getAsInt(), "its records tell"), option);
            }
            if (option != 0) {
                if (known.isPresent() && known.getAsInt() != option) {
                    LOG.warn(
                            "{}: pages of {} bytes are taken, as page-size says; machines '{}' have"
                                    + " {}",
                            session.name(),
                            option,
                            name,
                            known.getAsInt());
                }
                return new TargetPage(option, "page-size says");
            }
            if (told.isPresent()) return new TargetPage(ANY, "was assumed");
            throw MigrationException.user(
                    "how large a page of machine '%s' is nobody says: its stream doesn't, its name"
                            + " is not known for it, and its RAM %s; set page-size (--page-size) to"
                            + " its target's, such as 4096",
                    name,
                    inline
                            ? "can be read with several sizes"
                            : "can't be asked before it comes over other channels");
        }

        private static TargetPage agreed(TargetPage page, int option) throws MigrationException {
            if (option == 0 || option == page.size) return page;
            throw MigrationException.user(
                    "page-size is %d, but the machine has pages of %d bytes, as %s: leave it out",
                    option, page.size, page.by);
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
