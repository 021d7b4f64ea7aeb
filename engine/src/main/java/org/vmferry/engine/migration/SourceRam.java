package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.memory.ObservedRam;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** The RAM of a host that has no dirty log: gets one, if its guest is to run on meanwhile. */
final class SourceRam {
    private static final Logger LOG = Log.of(SourceRam.class);

    private final Options options;
    private final String migration; // its name
    private final OptionalLong free; // memory, in bytes

    SourceRam(Options options, String migration, OptionalLong free) {
        this.options = options;
        this.migration = migration;
        this.free = free;
    }

    /**
     * The same blocks with a log, unless that takes more memory than there is: then as they are,
     * and their guest is paused before they are copied.
     */
    RamProvider logged(RamProvider ram) throws MigrationException {
        List<RamBlock> all = new ArrayList<>(ram.blocks());
        List<RamBlock> sent = new ArrayList<>();
        for (RamBlock block : all) if (!MissingRam.leftOut(block, options)) sent.add(block);
        ObservedRam observed = new ObservedRam(sent);
        if (!hasRoom(sent, observed.compared())) return ram;
        Iterator<RamBlock> next = observed.blocks().iterator();
        all.replaceAll(block -> sent.contains(block) ? next.next() : block);
        return RamProvider.of(List.copyOf(all), observed);
    }

    /** Whether there is memory for the copies; says what is done. */
    private boolean hasRoom(List<RamBlock> sent, Map<String, String> compared) {
        if (compared.isEmpty()) {
            LOG.info("{}: the kernel tells which pages the guest writes to", migration);
            return true;
        }
        long copies =
                sent.stream()
                        .filter(block -> compared.containsKey(block.id()))
                        .mapToLong(RamBlock::usedLength)
                        .sum();
        boolean room = copies <= free.orElse(Long.MAX_VALUE);
        if (room) {
            LOG.info(
                    "{}: what the guest writes to is found by comparing {} MiB with a copy of as"
                            + " much, because the kernel can't tell: {}",
                    migration,
                    copies >> 20,
                    compared);
        } else {
            LOG.warn(
                    "{}: the guest is paused before its RAM is copied: its host has no dirty log,"
                            + " and to compare {} MiB with a copy of as much takes more memory than"
                            + " the system has left, {} MiB; the kernel can't tell either: {}",
                    migration,
                    copies >> 20,
                    free.orElse(0) >> 20,
                    compared);
        }
        return room;
    }
}
