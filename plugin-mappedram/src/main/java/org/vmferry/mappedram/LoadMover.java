package org.vmferry.mappedram;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.Placement.RunMover;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
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
final class LoadMover implements RunMover {
    private final Map<String, Area> areas;
    private final PositionedFile file;
    private final Session session;

    /** For bytes on their way; its user is done with it before {@link #zeros} is used. */
    private final Staging staging;

    private final Staging zeros = new Staging(1);

    LoadMover(Map<String, Area> areas, PositionedFile file, Session session) {
        this.areas = areas;
        this.file = file;
        this.session = session;
        staging = new Staging(file.alignment());
    }

    @Override
    public void move(Run run) throws IOException {
        Area area = areas.get(run.block().id());
        int most = Staging.pages(run.block().pageSize());
        for (long done = 0; done < run.pages(); done += most) {
            move(area, run.firstPage() + done, (int) Math.min(most, run.pages() - done));
        }
    }

    private void move(Area area, long first, int pages) throws IOException {
        RamBlock block = area.ram();
        PageBitmap present = area.present();
        int pageSize = block.pageSize();
        long offset = first * pageSize;
        long bytes = (long) pages * pageSize;
        long end = first + pages;
        Optional<MemorySegment> memory = block.memory();
        boolean whole = present.nextClear(first) >= end;
        if (whole && memory.isPresent()) {
            MemorySegment target = memory.get().asSlice(offset, bytes);
            if (target.address() % file.alignment() == 0) {
                read(area, first, target);
                session.counters().normalPages(pages);
                return;
            }
        }
        MemorySegment copy = staging.buffer(bytes);
        read(area, first, copy);
        for (long page = first; page < end; ) {
            long set = Math.min(end, present.nextSet(page));
            if (set > page) ZeroFill.fill(block, page, (int) (set - page), zeros);
            page = Math.min(end, present.nextClear(set));
            if (page == set) continue;
            MemorySegment part = copy.asSlice((set - first) * pageSize, (page - set) * pageSize);
            if (memory.isPresent()) {
                MemorySegment.copy(part, 0, memory.get(), set * pageSize, part.byteSize());
            } else {
                block.write(set * pageSize, part);
            }
            session.counters().normalPages(page - set);
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

    @Override
    public void close() {
        staging.close();
        zeros.close();
    }
}
