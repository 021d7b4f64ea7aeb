package org.vmferry.engine.transport;

import static org.vmferry.engine.system.NativeCalls.ERRNO;
import static org.vmferry.engine.system.NativeCalls.find;
import static org.vmferry.engine.system.NativeCalls.handle;
import static org.vmferry.engine.system.NativeCalls.number;
import static org.vmferry.engine.system.NativeCalls.rethrow;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.Charset;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The few system calls that the JDK does not offer: mapping a file copy-on-write without being
 * allowed to write to it, finding the holes in it, holding room on its disk, and locks that are an
 * open file's and not the process's. Who uses it asked {@link
 * org.vmferry.engine.system.NativeCalls#available}.
 */
final class Libc {
    /** An error: the disk is full. */
    static final int ENOSPC = 28;

    /** An error: the user's share of the disk is full. */
    static final int EDQUOT = 122;

    private static final int O_RDONLY = 0;
    private static final int O_RDWR = 2;
    private static final int O_NONBLOCK = 0x800;
    private static final int O_CLOEXEC = 0x80000;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE = 2;
    // RAM that is never written to stays in the page cache: reserving swap for it all would refuse
    // guests that fit well.
    private static final int MAP_NORESERVE = 0x4000;
    private static final int SEEK_DATA = 3;
    private static final int ENXIO = 6;
    private static final int EINTR = 4;
    private static final int FALLOC_FL_KEEP_SIZE = 1;
    private static final int AT_FDCWD = -100;
    private static final int STATX_BYTES = 256;
    private static final int STATX_ATTRIBUTES = 8; // where in the structure
    private static final int STATX_ATTR_APPEND = 0x20;
    private static final int F_OFD_GETLK = 36;
    private static final int F_OFD_SETLK = 37;
    private static final short F_RDLCK = 0;
    private static final short F_WRLCK = 1;
    private static final short F_UNLCK = 2;
    private static final int EAGAIN = 11;
    private static final int EACCES = 13;

    /** struct flock: type, whence, first byte, length in bytes or 0 for all, process. */
    private static final StructLayout FLOCK =
            MemoryLayout.structLayout(
                    JAVA_SHORT,
                    JAVA_SHORT,
                    MemoryLayout.paddingLayout(4),
                    JAVA_LONG,
                    JAVA_LONG,
                    JAVA_INT,
                    MemoryLayout.paddingLayout(4));

    private Libc() {}

    /** For reading, or for both. */
    static File open(Path path, boolean writable) throws IOException {
        return open(path, writable ? O_RDWR : O_RDONLY);
    }

    /** For reading what may not be what it seems: does not wait for a pipe's other end. */
    static File probe(Path path) throws IOException {
        return open(path, O_RDONLY | O_NONBLOCK);
    }

    private static File open(Path path, int access) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = name(path, arena);
            MemorySegment errno = arena.allocate(ERRNO);
            int descriptor = (int) Calls.OPEN.invokeExact(errno, name, access | O_CLOEXEC);
            if (descriptor < 0) throw failed("open '" + path + "'", errno);
            return new File(descriptor, path);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    static MemorySegment name(Path path, Arena arena) throws IOException {
        if (path.getFileSystem() != FileSystems.getDefault()) {
            throw new IOException("'" + path + "' is no file of this system");
        }
        return arena.allocateFrom(
                path.toString(), Charset.forName(System.getProperty("sun.jnu.encoding")));
    }

    /** Whether a folder takes files and never gives one up; false if it can't be told. */
    static boolean appendOnly(Path folder) throws IOException {
        if (Attributes.STATX.isEmpty()) return false;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(ERRNO);
            MemorySegment found = arena.allocate(STATX_BYTES, Long.BYTES);
            int failed =
                    (int)
                            Attributes.STATX
                                    .get()
                                    .invokeExact(errno, AT_FDCWD, name(folder, arena), 0, 0, found);
            long attributes = found.get(JAVA_LONG, STATX_ATTRIBUTES);
            return failed == 0 && (attributes & STATX_ATTR_APPEND) != 0;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /**
     * A lock that is in the way.
     *
     * @param exclusive whether it is for writing
     * @param from its first byte
     * @param length in bytes; to {@link Long#MAX_VALUE} if it has no end
     * @param process whose it is; at most 0 if it is an open file's
     */
    record Lock(boolean exclusive, long from, long length, int process) {
        long to() {
            return from + length;
        }
    }

    /** A descriptor. Safe for many threads, but for {@link #close}. */
    static final class File implements AutoCloseable {
        private final int descriptor;
        private final Path path;

        private File(int descriptor, Path path) {
            this.descriptor = descriptor;
            this.path = path;
        }

        /**
         * The mapping goes with the arena, not with this file.
         *
         * @param unmapped is told when it has gone
         */
        @SuppressWarnings("restricted") // the caller asked available()
        MemorySegment map(long position, long length, Arena arena, Runnable unmapped)
                throws IOException {
            try (Arena scratch = Arena.ofConfined()) {
                MemorySegment errno = scratch.allocate(ERRNO);
                MemorySegment at =
                        (MemorySegment)
                                Mapping.MMAP.invokeExact(
                                        errno,
                                        MemorySegment.NULL,
                                        length,
                                        PROT_READ_WRITE,
                                        MAP_PRIVATE | MAP_NORESERVE,
                                        descriptor,
                                        position);
                if (at.address() == -1) {
                    throw failed(
                            "map %d bytes at %d of '%s'".formatted(length, position, path), errno);
                }
                try {
                    return at.reinterpret(
                            length,
                            arena,
                            mapping -> {
                                unmap(mapping);
                                unmapped.run();
                            });
                } catch (Throwable e) {
                    unmap(at.reinterpret(length)); // the arena is closed
                    throw e;
                }
            } catch (Throwable e) {
                throw rethrow(e);
            }
        }

        /** Where data begins at or after a position, or where the file ends. */
        long nextData(long position) throws IOException {
            try (Arena scratch = Arena.ofConfined()) {
                MemorySegment errno = scratch.allocate(ERRNO);
                long found =
                        (long) Seeking.LSEEK.invokeExact(errno, descriptor, position, SEEK_DATA);
                if (found >= 0) return found;
                if (number(errno) != ENXIO) return position; // not known here
                return (long) Seeking.LSEEK.invokeExact(errno, descriptor, 0L, 2);
            } catch (Throwable e) {
                throw rethrow(e);
            }
        }

        /**
         * Holds room on the disk for bytes that are to come; the file grows no longer by it.
         *
         * @return 0, or why not: an error's number
         */
        int reserve(long position, long length) throws IOException {
            try (Arena scratch = Arena.ofConfined()) {
                MemorySegment errno = scratch.allocate(ERRNO);
                while (true) {
                    int failed =
                            (int)
                                    Reserving.FALLOCATE.invokeExact(
                                            errno,
                                            descriptor,
                                            FALLOC_FL_KEEP_SIZE,
                                            position,
                                            length);
                    if (failed == 0) return 0;
                    if (number(errno) != EINTR) return number(errno);
                }
            } catch (Throwable e) {
                throw rethrow(e);
            }
        }

        /**
         * Locks bytes, besides those that are locked already: against all that open the file anew,
         * until this is closed. Waits for nobody.
         *
         * @param exclusive for writing, with a file that is open for that; else for reading
         * @return empty, or the lock that is in the way
         * @throws IOException if the file system has no such locks
         */
        Optional<Lock> lock(boolean exclusive, long from, long length) throws IOException {
            short wanted = exclusive ? F_WRLCK : F_RDLCK;
            try (Arena scratch = Arena.ofConfined()) {
                MemorySegment errno = scratch.allocate(ERRNO);
                MemorySegment lock = scratch.allocate(FLOCK);
                while (true) {
                    fill(lock, wanted, from, length);
                    if ((int) Calls.FCNTL.invokeExact(errno, descriptor, F_OFD_SETLK, lock) == 0) {
                        return Optional.empty();
                    }
                    if (number(errno) != EAGAIN && number(errno) != EACCES) break;
                    fill(lock, wanted, from, length);
                    if ((int) Calls.FCNTL.invokeExact(errno, descriptor, F_OFD_GETLK, lock) != 0) {
                        break;
                    }
                    if (lock.get(JAVA_SHORT, 0) != F_UNLCK) return Optional.of(read(lock));
                    // It has gone just now.
                }
                throw failed("lock '" + path + "'", errno);
            } catch (Throwable e) {
                throw rethrow(e);
            }
        }

        private static void fill(MemorySegment lock, short type, long from, long length) {
            lock.fill((byte) 0);
            lock.set(JAVA_SHORT, 0, type);
            lock.set(JAVA_LONG, 8, from);
            lock.set(JAVA_LONG, 16, length);
        }

        private static Lock read(MemorySegment lock) {
            long from = lock.get(JAVA_LONG, 8);
            long length = lock.get(JAVA_LONG, 16);
            return new Lock(
                    lock.get(JAVA_SHORT, 0) == F_WRLCK,
                    from,
                    length == 0 ? Long.MAX_VALUE - from : length,
                    lock.get(JAVA_INT, 24));
        }

        @Override
        public void close() {
            try (Arena scratch = Arena.ofConfined()) {
                MemorySegment errno = scratch.allocate(ERRNO);
                int ignored = (int) Calls.CLOSE.invokeExact(errno, descriptor);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static void unmap(MemorySegment mapping) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment errno = scratch.allocate(ERRNO);
            int ignored = (int) Mapping.MUNMAP.invokeExact(errno, mapping, mapping.byteSize());
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static IOException failed(String what, MemorySegment errno) {
        return Trouble.transport("can't " + what + ": error " + number(errno), null);
    }

    // Made at first use: until then nothing asks for native access, and each takes time to make.

    private static final class Calls {
        static final MethodHandle OPEN =
                handle(
                        "open",
                        FunctionDescriptor.of(JAVA_INT, ValueLayout.ADDRESS, JAVA_INT),
                        Linker.Option.firstVariadicArg(2));
        static final MethodHandle CLOSE =
                handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
        static final MethodHandle FCNTL =
                handle(
                        "fcntl",
                        FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ValueLayout.ADDRESS),
                        Linker.Option.firstVariadicArg(2));
    }

    private static final class Seeking {
        static final MethodHandle LSEEK =
                handle("lseek", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
    }

    private static final class Reserving {
        static final MethodHandle FALLOCATE =
                handle(
                        "fallocate",
                        FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    }

    private static final class Mapping {
        static final MethodHandle MMAP =
                handle(
                        "mmap",
                        FunctionDescriptor.of(
                                ValueLayout.ADDRESS,
                                ValueLayout.ADDRESS,
                                JAVA_LONG,
                                JAVA_INT,
                                JAVA_INT,
                                JAVA_INT,
                                JAVA_LONG));
        static final MethodHandle MUNMAP =
                handle("munmap", FunctionDescriptor.of(JAVA_INT, ValueLayout.ADDRESS, JAVA_LONG));
    }

    private static final class Attributes {
        static final Optional<MethodHandle> STATX =
                find(
                        "statx",
                        FunctionDescriptor.of(
                                JAVA_INT,
                                JAVA_INT,
                                ValueLayout.ADDRESS,
                                JAVA_INT,
                                JAVA_INT,
                                ValueLayout.ADDRESS));
    }
}
