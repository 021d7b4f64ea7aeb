package org.vmferry.engine.memory;

import org.jspecify.annotations.Nullable;
import org.vmferry.engine.system.MappedRange;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.util.List;

/** A block whose memory the kernel watches, and what is known of its pages meanwhile. */
final class WatchedBlock extends ForwardingBlock {
    private final long start; // its first byte's address
    private final long from;
    private final long to;
    private final List<MappedRange> mappings;
    private volatile @Nullable Logging logging; // null while nobody logs

    /**
     * A block in native memory.
     *
     * @throws IOException if the system does not tell how its memory is mapped
     */
    WatchedBlock(RamBlock real) throws IOException {
        super(real);
        long page = MemoryCalls.pageSize();
        start = real.memory().orElseThrow().address();
        from = start & -page;
        to = (start + usedLength() + page - 1) & -page;
        mappings = MappedRange.all().filter(m -> m.from() < to && from < m.to()).toList();
    }

    long from() {
        return from;
    }

    long to() {
        return to;
    }

    boolean isPrivate() {
        return mappings.stream().allMatch(MappedRange::isPrivate);
    }

    boolean sharesPage(WatchedBlock other) {
        return from < other.to && other.from < to;
    }

    void begin(WriteWatch watch) throws IOException {
        Logging begun = new Logging(watch);
        watch.add(from, to);
        watch.harvest(from, to, begun::know);
        logging = begun;
    }

    void end() {
        logging = null;
    }

    void harvest(PageBitmap into) throws IOException {
        Logging now = logging;
        if (now != null) now.harvest(into);
    }

    void mark(long offset, long bytes) {
        Logging now = logging;
        if (now != null) now.mark(offset, bytes);
    }

    /** Asked again and again: what is known while nobody logs may cost a look each time. */
    @Override
    public boolean isKnownZero(long offset, long bytes) {
        Logging now = logging;
        return now != null && now.isUntouched(offset, bytes) || real.isKnownZero(offset, bytes);
    }

    /** From a start to its stop. */
    private final class Logging {
        private final WriteWatch watch;
        private final PageBitmap touched = new PageBitmap(pages()); // others are zero for sure
        private final PageBitmap marked = new PageBitmap(pages());

        Logging(WriteWatch watch) {
            this.watch = watch;
            touched.setAll();
        }

        void harvest(PageBitmap into) throws IOException {
            watch.harvest(
                    from,
                    to,
                    (first, end, absent) -> {
                        know(first, end, absent);
                        fill(into, first, end);
                    });
            marked.moveTo(into);
        }

        /**
         * A page that is absent was found so in the moment from which it is watched: whoever stores
         * to it later is told of. So what is said of it here is not older than its mark.
         */
        void know(long first, long end, boolean absent) {
            if (!absent) {
                fill(touched, first, end);
                return;
            }
            for (MappedRange mapping : mappings) {
                if (mapping.isAnonymous())
                    clear(Math.max(first, mapping.from()), Math.min(end, mapping.to()));
            }
        }

        /** Each page that has a byte of the range. */
        private void fill(PageBitmap pages, long first, long end) {
            long page = Math.max(0, first - start) / pageSize();
            long last = (Math.min(usedLength(), end - start) - 1) / pageSize();
            if (page <= last) pages.fill(page, last - page + 1, true);
        }

        /** Each page that lies in the range as a whole. */
        private void clear(long first, long end) {
            long page = (Math.max(0, first - start) + pageSize() - 1) / pageSize();
            long behind = Math.min(usedLength(), end - start) / pageSize();
            if (page < behind) touched.fill(page, behind - page, false);
        }

        void mark(long offset, long bytes) {
            if (bytes == 0) return;
            touched.fill(offset / pageSize(), count(offset, bytes), true);
            marked.fill(offset / pageSize(), count(offset, bytes), true);
        }

        private long count(long offset, long bytes) {
            return (offset + bytes - 1) / pageSize() - offset / pageSize() + 1;
        }

        boolean isUntouched(long offset, long bytes) {
            return touched.isClear(offset / pageSize(), count(offset, bytes));
        }
    }
}
