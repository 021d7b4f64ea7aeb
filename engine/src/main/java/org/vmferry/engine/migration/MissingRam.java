package org.vmferry.engine.migration;

import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.stream.Trailer;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** RAM that is announced and not sent: nobody may take it for zeros (rule TRL-7). */
final class MissingRam {
    private MissingRam() {}

    /** Whether a source sends nothing of a block. */
    static boolean leftOut(RamBlock block, Options options) {
        return block.missing() || block.shared() && options.get(EngineOptions.X_IGNORE_SHARED);
    }

    /** The blocks of which a source sends nothing. */
    static List<RamBlock> leftOut(List<RamBlock> blocks, Options options) {
        return blocks.stream().filter(block -> leftOut(block, options)).toList();
    }

    /** Refuses what a QEMU 10.0 can't load, and no QEMU before it knows. */
    static void checkLayout(Options options, Optional<FileLayout> layout)
            throws MigrationException {
        if (!options.get(EngineOptions.X_IGNORE_SHARED) || layout.isEmpty()) return;
        throw MigrationException.user(
                "x-ignore-shared and %s can't be on together in what is written: it can only be"
                        + " read",
                layout.get().id());
    }

    /** Refuses what the other side, or a QEMU that reads the file, would take for zeros. */
    static void checkSend(List<RamBlock> blocks, Options options, Route route)
            throws MigrationException {
        // QEMU's stream says by this capability that RAM is missing.
        if (options.get(EngineOptions.X_IGNORE_SHARED)) return;
        for (RamBlock block : blocks) {
            if (!block.missing()) continue;
            throw MigrationException.user(
                    "the RAM of block '%s' is missing here: its source left it out as shared"
                            + " memory. %s",
                    block.id(),
                    route.layout().isPresent()
                            ? "Write a stream, with x-ignore-shared: "
                                    + route.layout().get().id()
                                    + " has no word for it"
                            : "Set x-ignore-shared, here and at a destination that shares this"
                                    + " memory");
        }
    }

    /** Tells the target which blocks did not come, once everything was read. */
    static void tell(
            RamTarget target,
            Map<BlockHeader, RamBlock> blocks,
            Trailer trailer,
            MigrationSession session)
            throws MigrationException {
        boolean ignores = session.options().get(EngineOptions.X_IGNORE_SHARED);
        Map<String, OptionalLong> said = new HashMap<>(); // and where the guest saw it
        for (Trailer.Missing each : trailer.missing()) said.put(each.id(), each.guestAddress());
        for (BlockHeader header : blocks.keySet()) {
            boolean silent = ignores && !session.arrived().hasCome(header.id());
            if (!silent && !said.containsKey(header.id())) continue;
            if (ignores && blocks.get(header).shared()) continue;
            OptionalLong address =
                    header.guestAddress().isPresent()
                            ? header.guestAddress()
                            : said.get(header.id());
            target.missing(
                    new BlockHeader(header.id(), header.usedLength(), header.pageSize(), address));
        }
    }
}
