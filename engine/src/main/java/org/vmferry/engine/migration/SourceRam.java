package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.memory.ObservedRam;
import org.vmferry.engine.system.FreeMemory;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Mode;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** A source's RAM as it is sent: with a dirty log, if its guest is to run meanwhile. */
final class SourceRam {
    private static final Logger LOG = Log.of(SourceRam.class);

    private SourceRam() {}

    /**
     * A machine's RAM. One that runs and whose host gives no log gets one, unless that takes more
     * memory than there is: then it is paused before its RAM is copied.
     */
    static RamProvider of(Migratable machine, RunState state, Mode mode, MigrationSession session)
            throws MigrationException {
        RamProvider ram = machine.ram();
        if (ram.dirtyLog().isPresent() || !(machine instanceof Machine)) return ram;
        if (state != RunState.RUNNING || mode == Mode.CPR_REBOOT) return ram;
        List<RamBlock> all = new ArrayList<>(ram.blocks());
        List<RamBlock> sent = new ArrayList<>();
        for (RamBlock block : all) {
            if (!MissingRam.leftOut(block, session.options())) sent.add(block);
        }
        ObservedRam observed = new ObservedRam(sent);
        if (!hasRoom(sent, observed, session.name())) return ram;
        Iterator<RamBlock> next = observed.blocks().iterator();
        all.replaceAll(block -> sent.contains(block) ? next.next() : block);
        return RamProvider.of(List.copyOf(all), observed);
    }

    /** Whether there is memory for the copies; says what is done. */
    private static boolean hasRoom(List<RamBlock> sent, ObservedRam observed, String migration) {
        Map<String, String> compared = observed.compared();
        if (compared.isEmpty()) {
            LOG.info("{}: the kernel tells which pages the guest writes to", migration);
            return true;
        }
        long copies =
                sent.stream()
                        .filter(block -> compared.containsKey(block.id()))
                        .mapToLong(RamBlock::usedLength)
                        .sum();
        OptionalLong free = FreeMemory.bytes();
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
