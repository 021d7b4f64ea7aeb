package org.vmferry.engine.memory;

import static org.vmferry.engine.system.NativeCalls.ERRNO;
import static org.vmferry.engine.system.NativeCalls.handle;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import org.vmferry.engine.system.NativeCalls;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.Charset;

/**
 * The system calls behind {@link GuestMemory} and {@link WriteWatch}, on Linux with 64 bits. What
 * fails gives the error's number, negative.
 */
final class MemoryCalls {
    private static final int O_RDONLY = 0;
    private static final int O_RDWR = 2;
    private static final int O_CREAT = 0x40;
    private static final int O_CLOEXEC = 0x80000;
    private static final int OWNER_ONLY = 0600;
    private static final int PROT_NONE = 0;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_FIXED = 0x10;
    private static final int MAP_ANONYMOUS = 0x20;
    // Guests that fit well are not refused for what they might touch.
    private static final int MAP_NORESERVE = 0x4000;
    private static final int MADV_HUGEPAGE = 14;
    private static final int MFD_CLOEXEC = 1;
    private static final int SEEK_DATA = 3;
    private static final int ENXIO = 6;
    private static final int SC_PAGESIZE = 30;
    private static final Charset NAMES =
            Charset.forName(System.getProperty("sun.jnu.encoding")); // of files

    private MemoryCalls() {}

    /** A call, whose result is below 0 where it fails. */
    private interface Call {
        long by(MemorySegment errno, Arena scratch) throws Throwable;
    }

    /** What a call returns, or less than 0: its error's number, negative. */
    private static long result(Call call) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment errno = scratch.allocate(ERRNO);
            long result = call.by(errno, scratch);
            return result == -1 ? -NativeCalls.number(errno) : result;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** A file's number; one that is to be written to is made if it is not there. */
    static int open(String name, boolean writable) {
        int flags = O_CLOEXEC | (writable ? O_RDWR | O_CREAT : O_RDONLY);
        return (int)
                result(
                        (errno, scratch) ->
                                (int)
                                        Calls.OPEN.invokeExact(
                                                errno,
                                                scratch.allocateFrom(name, NAMES),
                                                flags,
                                                OWNER_ONLY));
    }

    static int memfd(String name) {
        return (int)
                result(
                        (errno, scratch) ->
                                (int)
                                        Calls.MEMFD_CREATE.invokeExact(
                                                errno, scratch.allocateFrom(name), MFD_CLOEXEC));
    }

    /** 0, or less. */
    static long setLength(int file, long bytes) {
        return result((errno, scratch) -> (int) Calls.FTRUNCATE.invokeExact(errno, file, bytes));
    }

    static void close(int file) {
        if (file >= 0) result((errno, scratch) -> (int) Calls.CLOSE.invokeExact(errno, file));
    }

    static long pread(int file, MemorySegment into, long position) {
        return result(
                (errno, scratch) ->
                        (long)
                                Calls.PREAD.invokeExact(
                                        errno, file, into, into.byteSize(), position));
    }

    /** As {@link Descriptor#nextData}. */
    static long nextData(int file, long position) {
        long found =
                result(
                        (errno, scratch) ->
                                (long) Calls.LSEEK.invokeExact(errno, file, position, SEEK_DATA));
        return found == -ENXIO ? Long.MAX_VALUE : found;
    }

    static long pageSize() {
        return result((errno, scratch) -> (long) Calls.SYSCONF.invokeExact(errno, SC_PAGESIZE));
    }

    /**
     * New memory, zero or a file's, in huge pages where there are any.
     *
     * @param alignment of its address, a power of two
     * @param file whose, from its beginning; below 0 for none
     * @return its address
     */
    static long map(long bytes, long alignment, int file) {
        int nobody = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        long room = bytes + alignment;
        long found = mmap(0, room, PROT_NONE, nobody, -1);
        if (found < 0) return found;
        long at = (found + alignment - 1) & -alignment;
        int flags = file < 0 ? nobody : MAP_SHARED | MAP_NORESERVE;
        long there = mmap(at, bytes, PROT_READ_WRITE, flags | MAP_FIXED, file);
        if (there < 0) {
            unmap(found, room);
            return there;
        }
        long end = (at + bytes + pageSize() - 1) & -pageSize();
        if (at > found) unmap(found, at - found);
        if (found + room > end) unmap(end, found + room - end);
        // A kernel without huge pages says no, and nothing is lost.
        result(
                (errno, scratch) ->
                        (int)
                                Calls.MADVISE.invokeExact(
                                        errno, MemorySegment.ofAddress(at), bytes, MADV_HUGEPAGE));
        return at;
    }

    private static long mmap(long at, long bytes, int access, int flags, int file) {
        return result(
                (errno, scratch) ->
                        ((MemorySegment)
                                        Calls.MMAP.invokeExact(
                                                errno,
                                                MemorySegment.ofAddress(at),
                                                bytes,
                                                access,
                                                flags,
                                                file,
                                                0L))
                                .address());
    }

    static void unmap(long at, long bytes) {
        result(
                (errno, scratch) ->
                        (int) Calls.MUNMAP.invokeExact(errno, MemorySegment.ofAddress(at), bytes));
    }

    /** A system call that the library has no name for. */
    static long syscall(long number, int argument) {
        return result(
                (errno, scratch) -> (long) Calls.SYSCALL.invokeExact(errno, number, argument));
    }

    static int ioctl(int file, long request, MemorySegment argument) {
        return (int)
                result(
                        (errno, scratch) ->
                                (int) Calls.IOCTL.invokeExact(errno, file, request, argument));
    }

    /** Made at first use: until then nothing asks for native access. */
    private static final class Calls {
        static final MethodHandle OPEN =
                handle(
                        "open",
                        FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
                        Linker.Option.firstVariadicArg(2));
        static final MethodHandle SYSCALL =
                handle(
                        "syscall",
                        FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT),
                        Linker.Option.firstVariadicArg(1));
        static final MethodHandle IOCTL =
                handle(
                        "ioctl",
                        FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
                        Linker.Option.firstVariadicArg(2));
        static final MethodHandle MEMFD_CREATE =
                handle("memfd_create", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
        static final MethodHandle FTRUNCATE =
                handle("ftruncate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
        static final MethodHandle CLOSE =
                handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
        static final MethodHandle PREAD =
                handle(
                        "pread",
                        FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
        static final MethodHandle LSEEK =
                handle("lseek", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
        static final MethodHandle SYSCONF =
                handle("sysconf", FunctionDescriptor.of(JAVA_LONG, JAVA_INT));
        static final MethodHandle MMAP =
                handle(
                        "mmap",
                        FunctionDescriptor.of(
                                ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT,
                                JAVA_LONG));
        static final MethodHandle MUNMAP =
                handle("munmap", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));
        static final MethodHandle MADVISE =
                handle("madvise", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
    }
}
