package org.vmferry.engine.transport;

import static org.vmferry.engine.system.NativeCalls.ERRNO;
import static org.vmferry.engine.system.NativeCalls.handle;
import static org.vmferry.engine.system.NativeCalls.number;
import static org.vmferry.engine.system.NativeCalls.rethrow;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import org.vmferry.engine.system.NativeCalls;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/** The access control list of a file, which the JDK does not know on Linux. */
final class AccessList {
    static final String NAME = "system.posix_acl_access";
    private static final long MOST_BYTES = 64 << 10; // of an attribute
    private static final int ENODATA = 61;
    private static final int EOPNOTSUPP = 95;

    private AccessList() {}

    static boolean available() {
        return NativeCalls.available();
    }

    /**
     * Gives a file the list of another one; none if that has none.
     *
     * @throws IOException if that failed: it may have one that says something else
     */
    static void copy(Path from, Path to) throws IOException {
        Optional<byte[]> list = read(from);
        if (list.isPresent()) write(to, NAME, list.get());
        else remove(to);
    }

    /** As the system keeps it; empty if there is none. */
    static Optional<byte[]> read(Path file) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(ERRNO);
            MemorySegment value = arena.allocate(MOST_BYTES);
            MemorySegment path = Libc.name(file, arena);
            MemorySegment name = arena.allocateFrom(NAME);
            long length = (long) Calls.GET.invokeExact(errno, path, name, value, MOST_BYTES);
            if (length < 0 && isNone(errno)) return Optional.empty();
            if (length < 0) throw failed("read", file, errno);
            return Optional.of(value.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** Also a folder's for the files to come, which has another name. */
    static void write(Path file, String attribute, byte[] list) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(ERRNO);
            MemorySegment value = arena.allocateFrom(ValueLayout.JAVA_BYTE, list);
            MemorySegment path = Libc.name(file, arena);
            MemorySegment name = arena.allocateFrom(attribute);
            int result =
                    (int) Calls.SET.invokeExact(errno, path, name, value, (long) list.length, 0);
            if (result != 0) throw failed("write", file, errno);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    private static void remove(Path file) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(ERRNO);
            MemorySegment path = Libc.name(file, arena);
            MemorySegment name = arena.allocateFrom(NAME);
            int result = (int) Calls.REMOVE.invokeExact(errno, path, name);
            if (result != 0 && !isNone(errno)) throw failed("remove", file, errno);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    private static IOException failed(String what, Path file, MemorySegment errno) {
        return new IOException(
                "can't %s the access control list of '%s': error %d"
                        .formatted(what, file, number(errno)));
    }

    private static boolean isNone(MemorySegment errno) {
        int number = number(errno);
        return number == ENODATA || number == EOPNOTSUPP;
    }

    /** Made at first use, as {@link Libc}'s. */
    private static final class Calls {
        static final MethodHandle GET =
                handle(
                        "lgetxattr",
                        FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG));
        static final MethodHandle SET =
                handle(
                        "lsetxattr",
                        FunctionDescriptor.of(
                                JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT));
        static final MethodHandle REMOVE =
                handle("lremovexattr", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
    }
}
