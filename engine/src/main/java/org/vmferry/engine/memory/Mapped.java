package org.vmferry.engine.memory;

import org.vmferry.engine.system.Inode;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** Makes guest memory with the kernel's help. Who asks for it asked whether there is any. */
final class Mapped {
    private static final long ALIGNMENT = 2 << 20; // a huge page's, on most processors

    /**
     * Where a page that was stored to through a mapping is at once no hole any more. Elsewhere,
     * such as behind FUSE, that may take until it is written back.
     */
    private static final Set<String> TELLS_HOLES =
            Set.of("tmpfs", "ext2", "ext3", "ext4", "xfs", "btrfs");

    private Mapped() {}

    static GuestMemory anonymous(Arena arena, long bytes) {
        Descriptor table = new Descriptor(MemoryCalls.open(PageTable.FILE, false));
        MemorySegment memory = map(arena, bytes, table, false);
        Untouched untouched =
                table.number() < 0
                        ? Untouched.NOBODY_KNOWS // no /proc, or one that hides it
                        : new PageTable(table, memory.address(), MemoryCalls.pageSize());
        return new GuestMemory(memory, untouched, Optional.empty());
    }

    static GuestMemory shareable(Arena arena, long bytes) {
        Descriptor file = new Descriptor(MemoryCalls.memfd("guest-ram"));
        long failed =
                file.number() < 0 ? file.number() : MemoryCalls.setLength(file.number(), bytes);
        if (failed != 0) {
            file.close();
            throw refused(bytes, failed);
        }
        MemorySegment memory = map(arena, bytes, file, true);
        Path name = Path.of("/proc/" + ProcessHandle.current().pid() + "/fd/" + file.number());
        return new GuestMemory(memory, holes(file), Optional.of(name));
    }

    static GuestMemory file(Arena arena, Path path, long bytes) throws IOException {
        if (path.getFileSystem() != FileSystems.getDefault())
            throw new IOException("'" + path + "' is no file of this system");
        int number = MemoryCalls.open(path.toString(), true);
        if (number < 0) throw failed("open '" + path + "' to be guest RAM", number);
        Descriptor file = new Descriptor(number);
        try {
            Path open = Path.of("/proc/self/fd/" + number);
            if (Inode.of(open).filter(it -> it.type() == Inode.Type.FILE).isEmpty())
                throw new IOException("'" + path + "' is no plain file, as guest RAM must be");
            long found = Files.size(open);
            GuestMemory.checkLength(path, found, bytes);
            long failed = found == 0 ? MemoryCalls.setLength(number, bytes) : 0;
            if (failed != 0) throw failed("make '%s' %d bytes long".formatted(path, bytes), failed);
            Untouched untouched = tellsHoles(open) ? holes(file) : Untouched.NOBODY_KNOWS;
            return new GuestMemory(map(arena, bytes, file, true), untouched, Optional.of(path));
        } catch (IOException | RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    private static boolean tellsHoles(Path file) {
        try {
            return TELLS_HOLES.contains(Files.getFileStore(file).type());
        } catch (IOException e) { // no such mount, as it may be after chroot
            return false;
        }
    }

    private static Untouched holes(Descriptor file) {
        return (offset, bytes) -> file.nextData(offset) - offset >= bytes;
    }

    /** Of nothing, or a file; that is closed with the arena, or at once if there is no memory. */
    @SuppressWarnings("restricted") // whoever calls asked whether it may be
    private static MemorySegment map(Arena arena, long bytes, Descriptor file, boolean shared) {
        long at = MemoryCalls.map(bytes, ALIGNMENT, shared ? file.number() : -1);
        if (at < 0) {
            file.close();
            throw refused(bytes, at);
        }
        Runnable let =
                () -> {
                    MemoryCalls.unmap(at, bytes);
                    file.close();
                };
        try {
            return MemorySegment.ofAddress(at).reinterpret(bytes, arena, memory -> let.run());
        } catch (RuntimeException | Error e) { // the arena is closed
            let.run();
            throw e;
        }
    }

    private static OutOfMemoryError refused(long bytes, long failed) {
        return new OutOfMemoryError(
                ("the system does not give %d bytes of guest RAM (error %d): it has not as much, or"
                     + " a limit (ulimit -v, a container's, vm.overcommit_memory) is in the way")
                        .formatted(bytes, -failed));
    }

    private static IOException failed(String what, long failed) {
        return new IOException("can't %s: error %d".formatted(what, -failed));
    }
}
