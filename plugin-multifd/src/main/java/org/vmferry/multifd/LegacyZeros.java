package org.vmferry.multifd;

import org.vmferry.spi.layout.Placement.MainRecords;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.ZeroPages;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Finds zero pages on the migration thread and says them in the main stream, for peers whose
 * packets can't (rule MFD-14). Counting is left to the records.
 */
final class LegacyZeros implements AutoCloseable {
    /** Takes what is not zero. */
    interface Normal {
        void add(Run run) throws IOException;
    }

    private final MainRecords records;
    private final int limit;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment staging;

    LegacyZeros(MainRecords records, int pageSize) {
        this.records = records;
        limit = Packet.limit(pageSize);
        staging = arena.allocate(Packet.DATA, pageSize);
    }

    /** Divides a run between the main stream and the channels. */
    void split(Run run, Normal normal) throws IOException {
        if (run.block().isKnownZero(run.offset(), run.bytes())) {
            records.zeros(run);
            return;
        }
        MemorySegment memory = run.block().memory().orElse(null);
        for (int done = 0; done < run.pages(); ) {
            Run part = run.part(done, Math.min(limit, run.pages() - done));
            if (memory != null) {
                scan(part, memory, part.offset(), normal);
            } else {
                run.block().read(part.offset(), staging.asSlice(0, part.bytes()));
                scan(part, staging, 0, normal);
            }
            done += part.pages();
        }
    }

    private void scan(Run run, MemorySegment memory, long at, Normal normal) throws IOException {
        int pageSize = run.block().pageSize();
        for (int done = 0; done < run.pages(); ) {
            long offset = at + (long) done * pageSize;
            int alike = ZeroPages.leading(memory, offset, pageSize, run.pages() - done);
            Run part = run.part(done, Math.abs(alike));
            if (alike < 0) records.zeros(part);
            else normal.add(part);
            done += part.pages();
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
