package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.Status;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** A dirty log in its host: docs/spi/dirty-log.md. */
@Status(Status.Level.STABLE)
public abstract class DirtyLogConformance extends Conformance {
    private final List<Guest> made = new ArrayList<>();

    /** For the author's class. */
    protected DirtyLogConformance() {}

    /** A way in which a guest's RAM is written to, marks and all. */
    @FunctionalInterface
    @Status(Status.Level.STABLE)
    public interface Store {
        /**
         * Stores a byte. Called by several threads at once, for different pages.
         *
         * @param block one of {@link Guest#ram()}'s
         * @param offset in the block
         * @param value what to store
         */
        void store(RamBlock block, long offset, byte value);
    }

    /** A way in which RAM is stored to later than it was asked for: I/O into pinned pages. */
    @FunctionalInterface
    @Status(Status.Level.STABLE)
    public interface LateStore {
        /**
         * Asks for a byte to be stored.
         *
         * @param block one of {@link Guest#ram()}'s
         * @param offset in the block
         * @param value what to store
         * @return stores it, once, and does what the host does when such I/O is complete
         */
        Runnable submit(RamBlock block, long offset, byte value);
    }

    /** A guest whose RAM is logged. */
    @Status(Status.Level.STABLE)
    public interface Guest extends AutoCloseable {
        /**
         * Its RAM.
         *
         * @return has a dirty log, and a block of at least 64 pages first; better two
         */
        RamProvider ram();

        /**
         * Every way in which its RAM is written to: a CPU's store, a device's DMA, the host's own.
         *
         * @return by name, for messages
         */
        Map<String, Store> stores();

        /**
         * How it does I/O that stores later than it was submitted, with O_DIRECT, io_uring's fixed
         * buffers or a device's DMA.
         *
         * @return empty if it does none
         */
        default Optional<LateStore> lateStore() {
            return Optional.empty();
        }

        /** Lets it write by itself, until it is paused. */
        void run();

        /** Stops it, as {@code Machine.enter} does; called once after each run. */
        void pause();

        /**
         * Has the next {@code start} of its log throw when it has begun a part of its work, as
         * where memory ends; that one only.
         *
         * @return false if its start begins one thing at most, and so can't fail half-way
         */
        default boolean failsHalfWay() {
            return false;
        }

        @Override
        default void close() {}
    }

    /**
     * Makes a guest.
     *
     * @return paused
     * @throws Exception if it can't be made
     */
    protected abstract Guest guest() throws Exception;

    /**
     * How often CPUs and harvests race.
     *
     * @return by default 300 times
     */
    protected int races() {
        return 300;
    }

    private Guest make() throws Exception {
        Guest guest = guest();
        made.add(guest);
        return guest;
    }

    @AfterEach
    final void closeAll() {
        made.forEach(Guest::close);
    }

    private static DirtyLog log(Guest guest) {
        return guest.ram().dirtyLog().orElseThrow();
    }

    private static PageBitmap harvest(Guest guest, RamBlock block) {
        PageBitmap dirty = new PageBitmap(block.pages());
        log(guest).harvest(block, dirty);
        return dirty;
    }

    /** What the engine does in a round: copies what is dirty. */
    private static void round(Guest guest, RamBlock block, byte[] copy) {
        PageBitmap dirty = harvest(guest, block);
        for (long page = dirty.nextSet(0); page < copy.length; page = dirty.nextSet(page + 1)) {
            copy[(int) page] = first(block, page);
        }
    }

    /** A page's first byte, as the engine reads it. */
    private static byte first(RamBlock block, long page) {
        return at(block, page * block.pageSize());
    }

    private static byte at(RamBlock block, long offset) {
        byte[] one = new byte[1];
        block.read(offset, MemorySegment.ofArray(one));
        return one[0];
    }

    @Test
    @Tag("DLG-1")
    @Tag("DLG-2")
    @Tag("DLG-3")
    final void noStoreIsLostBetweenMarkAndHarvest() throws Exception {
        Guest guest = make();
        RamBlock block = guest.ram().blocks().getFirst();
        assertTrue(block.pages() >= 64, "guest(): its first block must have 64 pages or more");
        Store cpu = guest.stores().values().iterator().next();
        byte[] copy = new byte[64];
        log(guest).start();
        for (int race = 1; race <= races(); race++) {
            byte value = (byte) race;
            byte[] stored = new byte[64];
            Arrays.fill(stored, value);
            AtomicInteger left = new AtomicInteger(2);
            List<Call<Void>> cpus = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                int mine = i; // neighbours' pages: their marks share a word
                cpus.add(
                        begin(
                                () -> {
                                    try {
                                        for (int page = mine; page < 64; page += 2)
                                            cpu.store(block, (long) page * block.pageSize(), value);
                                    } finally {
                                        left.decrementAndGet();
                                    }
                                    return null;
                                }));
            }
            long deadline = System.nanoTime() + patience().toNanos();
            while (left.get() > 0 && System.nanoTime() < deadline) round(guest, block, copy);
            for (Call<Void> one : cpus) end(one, "store: hangs");
            round(guest, block, copy);
            assertArrayEquals(
                    stored,
                    copy,
                    "harvest(), and where the guest marks: a store was lost. Mark after the store;"
                            + " take and clear a mark in one atomic step");
        }
        log(guest).stop();
    }

    @Test
    @Tag("DLG-4")
    final void everyStoreCounts() throws Exception {
        Guest guest = make();
        for (int migration = 0; migration < 2; migration++) {
            log(guest).start();
            for (RamBlock block : guest.ram().blocks()) {
                guest.stores()
                        .forEach(
                                (name, store) -> {
                                    long last = block.pages() - 1;
                                    for (byte value = 1; value <= 2; value++) {
                                        harvest(guest, block);
                                        store.store(block, last * block.pageSize() + 7, value);
                                    }
                                    assertTrue(
                                            harvest(guest, block).get(last),
                                            "%s: its stores to '%s' leave no mark"
                                                    .formatted(name, block.id()));
                                });
            }
            log(guest).stop();
        }
    }

    @Test
    @Tag("DLG-9")
    final void aLateStoreCountsWhenItCame() throws Exception {
        Guest guest = make();
        Optional<LateStore> late = guest.lateStore();
        needs(late.isPresent(), "lateStore(): its host does no I/O that stores late");
        log(guest).start();
        for (RamBlock block : guest.ram().blocks()) {
            for (byte value = 1; value <= 3; value++) {
                Runnable complete = late.get().submit(block, 7, value);
                harvest(guest, block);
                harvest(guest, block);
                complete.run();
                assertTrue(
                        harvest(guest, block).get(0),
                        "lateStore(): what it stored to '%s' when it was complete left no mark. Mark"
                                        .formatted(block.id())
                                + " it then, not when it is submitted");
                assertEquals(value, at(block, 7), "lateStore(): it is not stored when complete");
            }
        }
        log(guest).stop();
    }

    @Test
    @Tag("DLG-5")
    final void aPausedGuestLeavesNoMarks() throws Exception {
        Guest guest = make();
        log(guest).start();
        for (int i = 0; i < 3; i++) {
            guest.run();
            await(
                    "run(): it must write to its RAM",
                    () ->
                            guest.ram().blocks().stream()
                                    .anyMatch(block -> harvest(guest, block).cardinality() > 0));
            guest.pause();
            for (RamBlock block : guest.ram().blocks()) harvest(guest, block);
            LockSupport.parkNanos(quiet().toNanos());
            for (RamBlock block : guest.ram().blocks()) {
                assertEquals(
                        0,
                        harvest(guest, block).cardinality(),
                        "pause(): marks appear after it, in '" + block.id() + "'");
            }
        }
        log(guest).stop();
    }

    @Test
    @Tag("DLG-6")
    final void aHarvestAddsAndGivesOnce() throws Exception {
        Guest guest = make();
        RamBlock block = guest.ram().blocks().getFirst();
        Store cpu = guest.stores().values().iterator().next();
        log(guest).start();
        harvest(guest, block);
        cpu.store(block, 5L * block.pageSize(), (byte) 1);
        harvest(guest, block);
        cpu.store(block, 5L * block.pageSize(), (byte) 2);
        PageBitmap dirty = new PageBitmap(block.pages());
        dirty.set(9);
        log(guest).harvest(block, dirty);
        assertTrue(dirty.get(5), "harvest(): the mark is not there");
        assertTrue(dirty.get(9), "harvest(): it must add to what is set");
        assertFalse(harvest(guest, block).get(5), "harvest(): it must clear what it gives");
        log(guest).stop();
    }

    @Test
    @Tag("DLG-7")
    final void blocksAreApart() throws Exception {
        Guest guest = make();
        List<RamBlock> blocks = guest.ram().blocks();
        needs(blocks.size() > 1, "guest(): its RAM has one block only");
        Store cpu = guest.stores().values().iterator().next();
        log(guest).start();
        for (byte value = 1; value <= 2; value++) {
            for (RamBlock block : blocks) harvest(guest, block);
            for (RamBlock block : blocks) cpu.store(block, 0, value);
        }
        for (RamBlock block : blocks) {
            assertTrue(
                    harvest(guest, block).get(0),
                    "harvest(): '%s' lost its mark to another block".formatted(block.id()));
        }
        log(guest).stop();
    }

    @Test
    @Tag("DLG-8")
    final void afterStopRamIsReadAsItIs() throws Exception {
        Guest guest = make();
        log(guest).start();
        log(guest).stop();
        readAsItIs(guest, (byte) 1, "after stop()");
        if (guest.failsHalfWay()) {
            assertThrows(
                    Throwable.class, log(guest)::start, "failsHalfWay(): start() must throw then");
            log(guest).stop();
            readAsItIs(guest, (byte) 2, "after a start() that threw, and stop()");
            log(guest).start();
            log(guest).stop();
            readAsItIs(guest, (byte) 3, "after the start() that followed, and stop()");
        }
    }

    private static void readAsItIs(Guest guest, byte value, String when) {
        Store cpu = guest.stores().values().iterator().next();
        for (RamBlock block : guest.ram().blocks()) {
            cpu.store(block, 7, value);
            assertEquals(
                    value,
                    at(block, 7),
                    "%s: '%s' is not read as it is".formatted(when, block.id()));
        }
    }
}
