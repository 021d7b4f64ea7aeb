package org.vmferry.mappedram;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;

/**
 * Reads runs from their place. With direct-io a run may bridge gaps of pages whose bit is clear:
 * what the file holds there is read, but never reaches RAM (rule MAP-15).
 */
final class LoadMover {
    private final Map<String, Area> areas;
    private final PositionedFile file;
    private final Session session;

    LoadMover(Map<String, Area> areas, PositionedFile file, Session session) {
        this.areas = areas;
        this.file = file;
        this.session = session;
    }

    /** Any worker, each with its own buffer. */
    void move(Run run, Staging staging) throws IOException {
        Area area = areas.get(run.block().id());
        RamBlock block = area.ram();
        PageBitmap present = area.present();
        long first = run.firstPage();
        long end = first + run.pages();
        Optional<MemorySegment> memory = block.memory();
        if (memory.isPresent() && present.nextClear(first) >= end) {
            MemorySegment target = memory.get().asSlice(run.offset(), run.bytes());
            if (target.address() % file.alignment() == 0) {
                read(area, first, target);
                session.counters().normalPages(run.pages());
                return;
            }
        }
        for (long page = present.nextClear(first); page < end; page = present.nextClear(page)) {
            long set = Math.min(end, present.nextSet(page));
            ZeroPages.clear(new Run(block, page, (int) (set - page)), staging);
            page = set;
        }
        MemorySegment copy = staging.buffer(run.bytes(), file.alignment());
        read(area, first, copy);
        int pageSize = block.pageSize();
        for (long page = first; page < end; page = Math.min(end, present.nextSet(page))) {
            long clear = Math.min(end, present.nextClear(page));
            MemorySegment part = copy.asSlice((page - first) * pageSize, (clear - page) * pageSize);
            if (memory.isPresent()) {
                MemorySegment.copy(part, 0, memory.get(), page * pageSize, part.byteSize());
            } else {
                block.write(page * pageSize, part);
            }
            session.counters().normalPages(clear - page);
            page = clear;
        }
    }

    private void read(Area area, long first, MemorySegment target) throws IOException {
        long position = area.place().position(first);
        int length = file.read(target.asByteBuffer(), position);
        if (length != target.byteSize()) {
            throw MigrationException.peer(
                    "RAM block '%s': the file ends at %d, within the %d bytes from page %d at %d"
                            + " on; it was longer before",
                    area.ram().id(),
                    position + Math.max(0, length),
                    target.byteSize(),
                    first,
                    position);
        }
        session.counters().bytes(length);
    }
}
