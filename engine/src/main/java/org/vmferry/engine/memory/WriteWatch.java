package org.vmferry.engine.memory;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import org.vmferry.engine.system.NativeCalls;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The kernel's watch over stores to this process's memory: userfaultfd's write protection that the
 * kernel itself lifts at a store (WP_ASYNC), read and set anew in one step by PAGEMAP_SCAN. Linux
 * 6.7 or newer has it, for every user. Nobody waits in a fault, so no thread of the JVM hangs.
 *
 * <p>Ranges are of addresses, at borders of the system's pages. Any thread; one call at a time.
 */
final class WriteWatch implements AutoCloseable {
    private static final int O_NONBLOCK = 0x800;
    private static final int O_CLOEXEC = 0x80000;
    private static final int UFFD_USER_MODE_ONLY = 1;
    private static final long UFFDIO_API = 0xc018aa3fL;
    private static final long UFFDIO_REGISTER = 0xc020aa00L;
    private static final long UFFD_API = 0xaa;
    private static final long UFFD_FEATURE_WP_ASYNC = 1 << 15;
    private static final long REGISTER_MODE_WP = 2;
    private static final long PAGEMAP_SCAN = 0xc0606610L;
    private static final long WP_MATCHING_AND_CHECK_WPASYNC = 3;
    private static final long PAGE_IS_WRITTEN = 2;
    private static final long PAGE_IS_PRESENT_OR_SWAPPED = 8 | 16;
    private static final int SCAN_BYTES = 96; // of its argument
    private static final int REGION_BYTES = 24;
    private static final int REGIONS = 4096; // that one call may tell of
    private static final long AT_ONCE = 4L << 30; // bytes, so that close() does not wait for long
    private static final int ENOTTY = 25;

    private final int watch;
    private final int table;
    private boolean closed; // guarded by this

    /** Told of what was stored to. */
    @FunctionalInterface
    interface Stores {
        /**
         * Neighbouring pages.
         *
         * @param from an address
         * @param to behind the last
         * @param absent whether there is no memory behind them: of an anonymous mapping they are
         *     zero, and were made so since the last harvest or never stored to
         */
        void stored(long from, long to, boolean absent);
    }

    private WriteWatch(int watch, int table) {
        this.watch = watch;
        this.table = table;
    }

    /**
     * A watch over nothing yet.
     *
     * @throws IOException if this system has none for this process; says why
     */
    static WriteWatch open() throws IOException {
        if (!NativeCalls.available()) {
            throw new IOException(
                    "native calls are not allowed here: on Linux"
                            + " --enable-native-access=org.vmferry.engine allows them");
        }
        int watch = userfault();
        int table = MemoryCalls.open(PageTable.FILE, false);
        if (table >= 0) return new WriteWatch(watch, table);
        MemoryCalls.close(watch);
        throw new IOException("can't open " + PageTable.FILE + ": error " + -table);
    }

    private static int userfault() throws IOException {
        long number = // of the system call
                switch (System.getProperty("os.arch")) {
                    case "amd64" -> 323;
                    case "aarch64" -> 282;
                    default ->
                            throw new IOException(
                                    "userfaultfd's number is not known on this processor");
                };
        int flags = O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY;
        int watch = (int) MemoryCalls.syscall(number, flags);
        if (watch < 0) {
            throw new IOException("the system gives this process no userfaultfd: error " + -watch);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment api = arena.allocate(24, 8);
            api.setAtIndex(JAVA_LONG, 0, UFFD_API);
            api.setAtIndex(JAVA_LONG, 1, UFFD_FEATURE_WP_ASYNC);
            int failed = MemoryCalls.ioctl(watch, UFFDIO_API, api);
            if (failed == 0) return watch;
            MemoryCalls.close(watch);
            throw new IOException(
                    "this kernel's userfaultfd has no WP_ASYNC, which came with Linux 6.7: error "
                            + -failed);
        }
    }

    /** Watches a range, too. Each of its pages counts as stored to. */
    synchronized void add(long from, long to) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment range = arena.allocate(32, 8);
            range.setAtIndex(JAVA_LONG, 0, from);
            range.setAtIndex(JAVA_LONG, 1, to - from);
            range.setAtIndex(JAVA_LONG, 2, REGISTER_MODE_WP);
            int failed = MemoryCalls.ioctl(watch, UFFDIO_REGISTER, range);
            if (failed < 0)
                throw new IOException("the kernel does not watch this memory: error " + -failed);
        }
    }

    /**
     * Tells of the pages that were stored to, and watches them anew; each page in one step. One
     * that was stored to when this begins, is told of. Once this is closed it tells of none.
     *
     * @throws IOException if the memory is not there any more
     */
    void harvest(long from, long to, Stores stores) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment regions = arena.allocate((long) REGION_BYTES * REGIONS, 8);
            MemorySegment scan = arena.allocate(SCAN_BYTES, 8);
            scan.setAtIndex(JAVA_LONG, 0, SCAN_BYTES);
            scan.setAtIndex(JAVA_LONG, 1, WP_MATCHING_AND_CHECK_WPASYNC);
            scan.setAtIndex(JAVA_LONG, 5, regions.address());
            scan.setAtIndex(JAVA_LONG, 6, REGIONS);
            scan.setAtIndex(JAVA_LONG, 9, PAGE_IS_WRITTEN); // which have to have
            scan.setAtIndex(JAVA_LONG, 11, PAGE_IS_WRITTEN | PAGE_IS_PRESENT_OR_SWAPPED); // told
            for (long at = from; at < to; at = scan.getAtIndex(JAVA_LONG, 4)) {
                scan.setAtIndex(JAVA_LONG, 2, at);
                scan.setAtIndex(JAVA_LONG, 3, Math.min(to, at + AT_ONCE));
                int found = scan(scan);
                if (found < 0) return;
                for (int i = 0; i < found; i++) {
                    long states = regions.getAtIndex(JAVA_LONG, 3L * i + 2);
                    stores.stored(
                            regions.getAtIndex(JAVA_LONG, 3L * i),
                            regions.getAtIndex(JAVA_LONG, 3L * i + 1),
                            (states & PAGE_IS_PRESENT_OR_SWAPPED) == 0);
                }
            }
        }
    }

    /** How many regions were found; below 0 if this is closed. */
    private synchronized int scan(MemorySegment argument) throws IOException {
        if (closed) return -1;
        int found = MemoryCalls.ioctl(table, PAGEMAP_SCAN, argument);
        if (found >= 0) return found;
        throw new IOException(
                found == -ENOTTY
                        ? "this kernel has no PAGEMAP_SCAN, which came with Linux 6.7"
                        : "the kernel can't tell what was stored to: error " + -found);
    }

    /** Watches nothing any more. */
    @Override
    public synchronized void close() {
        if (closed) return;
        closed = true;
        MemoryCalls.close(watch);
        MemoryCalls.close(table);
    }
}
