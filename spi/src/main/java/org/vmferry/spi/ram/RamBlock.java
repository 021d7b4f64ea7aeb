package org.vmferry.spi.ram;

import org.vmferry.spi.Status;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A contiguous piece of guest RAM under a name, such as {@code pc.ram}.
 *
 * <p>The engine reaches its bytes in one of two ways. If {@link #memory()} is there, it reads and
 * writes that segment directly, from any of its threads, while the guest runs. Otherwise it copies
 * pages out and in with {@link #read} and {@link #write}, from any of its threads, several at once
 * but never two for the same page. Blocks of over 2 GiB are ordinary.
 */
@Status(Status.Level.STABLE)
public interface RamBlock {
    /**
     * The name it has on the wire.
     *
     * @return 1 to 255 bytes of UTF-8, unique in its machine
     */
    String id();

    /**
     * How many bytes are in use. Does not change while a migration runs.
     *
     * @return a multiple of the page size, at least one page
     */
    long usedLength();

    /**
     * How large it may be made on load.
     *
     * @return bytes, at least {@link #usedLength()}
     */
    default long maximumLength() {
        return usedLength();
    }

    /**
     * The size of a page.
     *
     * @return bytes, a power of two; 4096 on x86
     */
    int pageSize();

    /**
     * Where the guest sees it. It counts with the capability x-ignore-shared only: the stream then
     * has it, a destination compares it for a block that is {@link #shared}, and a file tells where
     * RAM belongs that was left out. All else goes by names and offsets, and needs none.
     *
     * @return the physical address of its first byte, or empty, which a stream has as 0
     */
    default OptionalLong guestAddress() {
        return OptionalLong.empty();
    }

    /**
     * Whether its bytes are a file that the destination has open, too: with the capability
     * x-ignore-shared they are not sent, and both sides must have them at one guest address.
     *
     * @return by default false
     */
    default boolean shared() {
        return false;
    }

    /**
     * Whether its content is not here: an archive's block that the source left out. It is announced
     * and never sent; a file names it as missing (docs/wire/trailer.md), and a migration without
     * x-ignore-shared is refused.
     *
     * @return by default false
     */
    default boolean missing() {
        return false;
    }

    /**
     * The block as native memory: the fast path.
     *
     * @return a native segment of at least {@link #usedLength()} bytes that every thread may use,
     *     alive for as long as the migration; or empty, and then pages are copied
     */
    default Optional<MemorySegment> memory() {
        return Optional.empty();
    }

    /**
     * Copies bytes out.
     *
     * @param offset the first byte's offset in the block
     * @param target is filled; lies within the block
     * @throws java.io.UncheckedIOException if they can't be had; its cause fails the migration
     */
    void read(long offset, MemorySegment target);

    /**
     * Copies bytes in.
     *
     * @param offset the first byte's offset in the block
     * @param source is copied; lies within the block
     * @throws java.io.UncheckedIOException if they can't be kept; its cause fails the migration
     */
    void write(long offset, MemorySegment source);

    /**
     * Whether a load may count on it that every page is zero when the load begins: memory just
     * allocated, a new sparse file. Pages that are to be zero are then left alone, which spares the
     * time and, in a file, the space that looking at them costs.
     *
     * @return false if the block may hold anything
     */
    default boolean isFresh() {
        return false;
    }

    /**
     * Whether a range is zero for sure, told without a look at it: nothing was ever written there.
     * Such pages are sent as zero pages without being read, and a load leaves them alone when they
     * are to be zero. Asked for each run of pages, by any of the migration's threads. What a load
     * hands on of a block that {@link #isFresh() is fresh} knows it of each page that has not come.
     *
     * @param offset the first byte's offset in the block
     * @param bytes how many; they lie within the block
     * @return false if it would have to be looked at
     */
    default boolean isKnownZero(long offset, long bytes) {
        return false;
    }

    /**
     * How many pages are in use.
     *
     * @return {@link #usedLength()} in pages
     */
    default long pages() {
        return usedLength() / pageSize();
    }

    /**
     * A block over memory that the host has. A heap segment (of a {@code byte[]} or {@code int[]})
     * will do; its pages are then copied. An {@code int[]} is taken in the machine's own byte
     * order.
     *
     * @param id its name
     * @param memory all of it is in use
     * @param pageSize bytes, a power of two
     * @return the block
     */
    static RamBlock of(String id, MemorySegment memory, int pageSize) {
        return new SegmentRamBlock(id, memory, pageSize, OptionalLong.empty(), false);
    }

    /**
     * A block as above, which the guest sees at an address.
     *
     * @param id its name
     * @param memory all of it is in use
     * @param pageSize bytes, a power of two
     * @param guestAddress the physical address of its first byte, unsigned ({@link #guestAddress})
     * @return the block
     */
    static RamBlock of(String id, MemorySegment memory, int pageSize, long guestAddress) {
        return new SegmentRamBlock(id, memory, pageSize, OptionalLong.of(guestAddress), false);
    }

    /**
     * A block over memory that the host has just made, to be loaded into: all of it is zero.
     *
     * @param id its name
     * @param memory all of it is in use
     * @param pageSize bytes, a power of two
     * @return the block, which {@link #isFresh() is fresh}
     */
    static RamBlock fresh(String id, MemorySegment memory, int pageSize) {
        return new SegmentRamBlock(id, memory, pageSize, OptionalLong.empty(), true);
    }
}
