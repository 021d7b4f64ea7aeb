package org.vmferry.mappedram;

import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/**
 * Writes runs to their place.
 *
 * <p>A page's bit is set before its first byte is written, and never cleared again: so a clear bit
 * is a hole (rule MAP-10), whatever the guest does to the page between the look at it and the
 * write. A zero page is left out while its bit is clear; once it was written, its zeros are.
 */
final class SaveMover {
    /**
     * Direct-io waits for the device at every write, so a gap of zero pages up to this many bytes
     * is cheaper written than left out (rule MAP-14).
     */
    static final int BRIDGE = 128 << 10;

    private final Map<String, Area> areas;
    private final PositionedFile file;
    private final Session session;

    SaveMover(Map<String, Area> areas, PositionedFile file, Session session) {
        this.areas = areas;
        this.file = file;
        this.session = session;
    }

    /** Any worker, each with its own buffer. */
    void move(Run run, Staging staging) throws IOException {
        Area area = areas.get(run.block().id());
        long first = run.firstPage();
        int pages = run.pages();
        int pageSize = area.ram().pageSize();
        if (area.ram().isKnownZero(run.offset(), run.bytes())
                && area.present().isClear(first, pages)) {
            session.counters().zeroPages(pages);
            return;
        }
        int bridge = file.alignment() == 1 ? 0 : BRIDGE / pageSize;
        MemorySegment source = staging.bytes(run);
        int zeros = 0;
        int from = 0;
        int to = 0; // pages from..to-1 wait to be written
        for (int page = 0; page < pages; page++) {
            boolean zero = ZeroPages.isZero(source, (long) page * pageSize, pageSize);
            if (zero) zeros++;
            if (zero && !area.present().get(first + page)) continue;
            if (from < to && page - to > bridge) {
                write(area, first + from, source, from, to, staging);
                from = page;
            } else if (from == to) {
                from = page;
            }
            to = page + 1;
        }
        if (from < to) write(area, first + from, source, from, to, staging);
        session.counters().zeroPages(zeros);
        session.counters().normalPages(pages - zeros);
    }

    private void write(
            Area area, long page, MemorySegment source, int from, int to, Staging staging)
            throws IOException {
        long pageSize = area.ram().pageSize();
        long bytes = (to - from) * pageSize;
        MemorySegment part = source.asSlice(from * pageSize, bytes);
        if (part.address() % file.alignment() != 0) {
            part = staging.buffer(bytes).copyFrom(part);
        }
        session.permit(bytes);
        area.present().fill(page, to - from, true);
        file.write(part.asByteBuffer(), area.place().position(page));
        session.counters().bytes(bytes);
    }
}
