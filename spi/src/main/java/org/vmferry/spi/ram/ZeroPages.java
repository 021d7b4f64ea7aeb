package org.vmferry.spi.ram;

import org.vmferry.spi.Status;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** Finds pages that hold only zeros, and makes pages so. */
@Status(Status.Level.STABLE)
public final class ZeroPages {
    private static final MemorySegment ZEROS =
            MemorySegment.ofArray(new byte[1 << 16]).asReadOnly();

    private ZeroPages() {}

    /**
     * Takes neighbouring pages that are alike: all zero, or none.
     *
     * @param <X> what it may throw
     */
    @Status(Status.Level.STABLE)
    public interface Extents<X extends Exception> {
        /**
         * Takes zero pages.
         *
         * @param run which
         * @throws X if they can't be taken
         */
        void zeros(Run run) throws X;

        /**
         * Takes pages that were not zero when they were looked at.
         *
         * @param run which
         * @param bytes what is in them, valid during the call: the block's own memory, in which the
         *     guest may write meanwhile, or a copy
         * @throws X if they can't be taken
         */
        void others(Run run, MemorySegment bytes) throws X;
    }

    /**
     * Whether a range holds only zeros.
     *
     * @param memory where
     * @param offset its first byte
     * @param length bytes
     * @return true if every byte is 0
     */
    public static boolean isZero(MemorySegment memory, long offset, long length) {
        Objects.requireNonNull(memory, "memory");
        for (long end = offset + length; offset < end; ) {
            long step = Math.min(ZEROS.byteSize(), end - offset);
            if (MemorySegment.mismatch(memory, offset, offset + step, ZEROS, 0, step) >= 0)
                return false;
            offset += step;
        }
        return true;
    }

    /**
     * Divides a run into zero pages and others, each looked at once and in order. Pages that {@link
     * RamBlock#isKnownZero are zero for sure} are not looked at.
     *
     * @param <X> what the taker may throw
     * @param run which pages
     * @param staging for a block that is no native memory
     * @param to takes them
     * @throws X what the taker throws
     */
    public static <X extends Exception> void divide(Run run, Staging staging, Extents<X> to)
            throws X {
        Objects.requireNonNull(staging, "staging");
        Objects.requireNonNull(to, "to");
        if (run.block().isKnownZero(run.offset(), run.bytes())) {
            to.zeros(run);
            return;
        }
        long size = run.block().pageSize();
        MemorySegment bytes = staging.bytes(run);
        int first = 0;
        boolean zero = isZero(bytes, 0, size);
        for (int page = 1; page <= run.pages(); page++) {
            boolean next = page < run.pages() && isZero(bytes, page * size, size);
            if (page < run.pages() && next == zero) continue;
            Run part = run.part(first, page - first);
            if (zero) to.zeros(part);
            else to.others(part, bytes.asSlice(first * size, part.bytes()));
            first = page;
            zero = next;
        }
    }

    /**
     * Makes pages zero unless they are: what was never touched stays so, in memory and in a sparse
     * file.
     *
     * @param run which pages
     * @param staging for a block that is no native memory
     */
    public static void clear(Run run, Staging staging) {
        Objects.requireNonNull(staging, "staging");
        RamBlock block = run.block();
        if (block.isKnownZero(run.offset(), run.bytes())) return;
        int pageSize = block.pageSize();
        boolean copied = block.memory().isEmpty();
        MemorySegment all = staging.bytes(run);
        for (int i = 0; i < run.pages(); i++) {
            Run page = run.part(i, 1);
            if (!copied && block.isKnownZero(page.offset(), pageSize)) continue;
            MemorySegment bytes = all.asSlice((long) i * pageSize, pageSize);
            if (isZero(bytes, 0, pageSize)) continue;
            bytes.fill((byte) 0);
            if (copied) block.write(page.offset(), bytes);
        }
    }
}
