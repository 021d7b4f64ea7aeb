package org.vmferry.mappedram;

import org.slf4j.Logger;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Restores a block by mapping its pages copy-on-write from the file (rule MAP-12). */
final class BlockMapper {
    private static final Logger LOG = Log.of(BlockMapper.class);

    /** No system maps at a finer grain. */
    private static final long SYSTEM_PAGE = 4096;

    private final PositionedFile file;
    private final RamTarget target;
    private final Session session;

    BlockMapper(PositionedFile file, RamTarget target, Session session) {
        this.file = file;
        this.target = target;
        this.session = session;
    }

    /** Empty where the host wants no mapping, or the file can't be mapped. */
    Optional<RamBlock> map(MappedRamBlock place, BlockContents contents) throws IOException {
        long position = place.header().pagesOffset();
        if (position % SYSTEM_PAGE != 0) return Optional.empty();
        Optional<Arena> arena = target.adopts(place.block());
        if (arena.isEmpty()) return Optional.empty();
        if (file.size() < place.end()) throw cutShort(place, null);
        Optional<MemorySegment> memory =
                file.map(position, place.block().usedLength(), arena.get());
        if (memory.isEmpty()) {
            LOG.info(
                    "{}: RAM block '{}' is copied, because this file can't be mapped",
                    session.name(),
                    place.block().id());
            return Optional.empty();
        }
        if (!contents.clearMeansHole()) {
            try {
                clearStaleBytes(place, contents.present(), memory.get());
            } catch (InternalError e) {
                throw file.size() < place.end() ? cutShort(place, e) : MigrationException.of(e);
            }
        }
        return Optional.of(target.adopt(place.block(), memory.get()));
    }

    private MigrationException cutShort(MappedRamBlock place, InternalError cause)
            throws IOException {
        return new MigrationException(
                Blame.PEER,
                "RAM block '%s': its pages go to %d, the file ends at %d; it was longer before"
                        .formatted(place.block().id(), place.end(), file.size()),
                cause);
    }

    /** The file is not one of ours, so clear bits promise nothing about its bytes. */
    private void clearStaleBytes(MappedRamBlock place, PageBitmap present, MemorySegment memory)
            throws IOException {
        long start = System.nanoTime();
        int pageSize = place.block().pageSize();
        int most = Staging.pages(pageSize);
        long looked = 0;
        long cleared = 0;
        long data = 0; // before this page there is nothing but holes
        for (long page = present.nextClear(0); page < present.pages(); ) {
            long end = present.nextSet(page);
            for (; page < end; page += most) {
                session.check();
                if (data <= page) {
                    data = (file.nextData(place.position(page)) - place.position(0)) / pageSize;
                }
                page = Math.max(page, Math.min(end, data));
                for (long last = Math.min(end, page + most), at = page; at < last; at++) {
                    looked++;
                    if (ZeroPages.isZero(memory, at * pageSize, pageSize)) continue;
                    memory.asSlice(at * pageSize, pageSize).fill((byte) 0);
                    cleared++;
                }
            }
            page = present.nextClear(end);
        }
        LOG.info(
                "{}: RAM block '{}' was mapped from a file that may hold stale bytes: looked at {}"
                        + " of {} absent pages, cleared {}, in {} ms",
                session.name(),
                place.block().id(),
                looked,
                present.pages() - present.cardinality(),
                cleared,
                (System.nanoTime() - start) / 1_000_000);
    }
}
