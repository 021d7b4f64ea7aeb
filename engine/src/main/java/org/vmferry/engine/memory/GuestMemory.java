package org.vmferry.engine.memory;

import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.Status;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Memory for a guest's RAM. All of it is zero, and takes no room before it is written to; it begins
 * at a multiple of 2 MiB and asks for huge pages, so that touching it first costs a fraction of
 * what it costs in an arena's own memory.
 *
 * <p>Its {@link #block blocks} know which pages were never touched, without touching them. A guest
 * that uses a hundredth of its RAM is saved in a hundredth of the time, and stays as small as it
 * is.
 *
 * <p>It needs Linux and native access ({@code --enable-native-access}). Where either is missing, or
 * {@code -Dvmferry.native=off} forbids it, it is an arena's ordinary memory or an ordinary mapping,
 * and its blocks know nothing of their pages; all else is the same.
 *
 * <p>It goes when its arena is closed, or found to be garbage. No guest and no migration may use it
 * any more then: the engine's threads would find it closed, and the migration fails. May be used by
 * any thread.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class GuestMemory {
    private static final int UNIT = 4096;
    private static final long MOST = Long.MAX_VALUE - (1L << 30); // room for any alignment

    private final MemorySegment memory;
    private final Untouched untouched;
    private final Optional<Path> file;

    GuestMemory(MemorySegment memory, Untouched untouched, Optional<Path> file) {
        this.memory = memory;
        this.untouched = untouched;
        this.file = file;
    }

    /**
     * Memory of this process alone, for whom it is enough that the garbage collector finds out when
     * nobody uses it any more.
     *
     * @param bytes above 0, a multiple of 4096
     * @return new memory
     * @throws OutOfMemoryError if the system does not give as much
     */
    public static GuestMemory allocate(long bytes) {
        return allocate(Arena.ofAuto(), bytes);
    }

    /**
     * Memory of this process alone.
     *
     * @param arena what it goes with; not confined to a thread
     * @param bytes above 0, a multiple of 4096
     * @return new memory
     * @throws OutOfMemoryError if the system does not give as much
     */
    public static GuestMemory allocate(Arena arena, long bytes) {
        check(arena, bytes);
        if (NativeCalls.available()) return Mapped.anonymous(arena, bytes);
        return ordinary(arena, bytes);
    }

    /**
     * Memory that other processes can have too, by {@link #file()}: a memfd. Its pages are not this
     * process's, so no log of its page tables sees what others store.
     *
     * @param arena what it goes with; not confined to a thread
     * @param bytes above 0, a multiple of 4096
     * @return new memory
     * @throws OutOfMemoryError if the system does not give as much
     */
    public static GuestMemory shareable(Arena arena, long bytes) {
        check(arena, bytes);
        if (NativeCalls.available()) return Mapped.shareable(arena, bytes);
        return ordinary(arena, bytes);
    }

    /**
     * A file's pages as memory: what is stored is in the file, what is in the file is RAM. A file
     * that is not there, or is empty, is made as long, of one hole, for its user alone. Nobody may
     * cut it while it is used: that ends the guest with an {@link InternalError}.
     *
     * <p>That a page was never written to is known on tmpfs (such as {@code /dev/shm}), ext4, xfs
     * and btrfs.
     *
     * @param arena what it goes with; not confined to a thread
     * @param file its name
     * @param bytes above 0, a multiple of 4096
     * @return its memory
     * @throws IOException if it can't be opened or mapped, is no plain file, or has another length
     */
    public static GuestMemory ofFile(Arena arena, Path file, long bytes) throws IOException {
        check(arena, bytes);
        if (NativeCalls.available()) return Mapped.file(arena, file, bytes);
        try (var channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            checkLength(file, channel.size(), bytes);
            var memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
            return new GuestMemory(memory, Untouched.NOBODY_KNOWS, Optional.of(file));
        }
    }

    private static GuestMemory ordinary(Arena arena, long bytes) {
        return new GuestMemory(
                arena.allocate(bytes, UNIT), Untouched.NOBODY_KNOWS, Optional.empty());
    }

    private static void check(Arena arena, long bytes) {
        if (bytes <= 0 || bytes % UNIT != 0 || bytes > MOST)
            throw new IllegalArgumentException(
                    "guest RAM of %d bytes: it must be above 0, a multiple of %d and at most %d"
                            .formatted(bytes, UNIT, MOST / UNIT * UNIT));
        if (!arena.allocate(1).isAccessibleBy(new Thread(() -> {})))
            throw new IllegalArgumentException(
                    "guest RAM in an arena that is confined to a thread: a migration has threads of"
                            + " its own; take Arena.ofShared()");
    }

    static void checkLength(Path file, long found, long bytes) throws IOException {
        if (found != 0 && found != bytes)
            throw new IOException(
                    "'%s' is to be guest RAM of %d bytes, and has %d"
                            .formatted(file, bytes, found));
    }

    /**
     * The memory itself.
     *
     * @return all of it
     */
    public MemorySegment segment() {
        return memory;
    }

    /**
     * What another process of this user's opens and maps to have the same memory.
     *
     * @return a file's name, which for memory that is {@link #shareable} is in {@code /proc}; empty
     *     if there is no such way
     */
    public Optional<Path> file() {
        return file;
    }

    /**
     * All of it as a RAM block. {@link RamBlock#isFresh It is fresh} while nothing was ever written
     * to it; that is looked up at each call.
     *
     * <p>{@link RamBlock#isKnownZero} is asked of the kernel at each call, one system call or two
     * for a run of up to 16 MiB, and touches nothing. A page that is stored to meanwhile may be
     * told either way: a live migration finds it in the dirty log, which was marked after the
     * store.
     *
     * @param id its name
     * @param pageSize the guest's, in bytes, a power of two
     * @return a block over this memory
     */
    public RamBlock block(String id, int pageSize) {
        return new GuestBlock(RamBlock.of(id, memory, pageSize), untouched);
    }

    /**
     * As above, where the guest sees it at an address.
     *
     * @param id its name
     * @param pageSize the guest's, in bytes, a power of two
     * @param guestAddress the physical address of its first byte, unsigned
     * @return a block over this memory
     */
    public RamBlock block(String id, int pageSize, long guestAddress) {
        return new GuestBlock(RamBlock.of(id, memory, pageSize, guestAddress), untouched);
    }
}
