package example.unicorn;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.List;

/** An x86 CPU of Unicorn's, by the calls of its C library: what any host of Unicorn has. */
final class Unicorn implements AutoCloseable {
    /** All that its program uses, and their numbers in Unicorn's calls. */
    static final List<String> REGISTERS =
            List.of(
                    "RIP EFLAGS RAX RBX RCX RDX RSI RDI RBP RSP R8 R9 R10 R11 R12 R13 R14 R15"
                            .split(" "));

    private static final int[] NUMBERS = {
        41, 25, 35, 37, 38, 40, 43, 39, 36, 44, 106, 107, 108, 109, 110, 111, 112, 113
    };

    private static final SymbolLookup LIBRARY =
            SymbolLookup.libraryLookup("libunicorn.so.2", Arena.global());
    private static final MethodHandle OPEN = function("uc_open", JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle CLOSE = function("uc_close", ADDRESS);
    private static final MethodHandle MAP =
            function("uc_mem_map_ptr", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS);
    private static final MethodHandle START =
            function("uc_emu_start", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle READ = function("uc_reg_read", ADDRESS, JAVA_INT, ADDRESS);
    private static final MethodHandle WRITE = function("uc_reg_write", ADDRESS, JAVA_INT, ADDRESS);

    private final MemorySegment handle;

    /** A CPU in 64-bit mode whose RAM is this memory, from address 0. */
    Unicorn(MemorySegment ram) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment made = arena.allocate(ADDRESS);
            call(OPEN, 4, 1 << 3, made); // UC_ARCH_X86, UC_MODE_64
            handle = made.get(ADDRESS, 0);
        }
        call(MAP, handle, 0L, ram.byteSize(), 7, ram); // UC_PROT_ALL
    }

    private static MethodHandle function(String name, MemoryLayout... arguments) {
        return Linker.nativeLinker()
                .downcallHandle(
                        LIBRARY.findOrThrow(name), FunctionDescriptor.of(JAVA_INT, arguments));
    }

    private static void call(MethodHandle function, Object... arguments) {
        try {
            Object error = function.invokeWithArguments(arguments);
            if (!error.equals(0)) throw new IllegalStateException("Unicorn's error " + error);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Executes so many instructions, or fewer if it comes to a place before. */
    void run(long instructions, long until) {
        call(START, handle, get("RIP"), until, 0L, instructions); // 0: no limit of time
    }

    long get(String register) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_LONG);
            call(READ, handle, NUMBERS[REGISTERS.indexOf(register)], value);
            return value.get(JAVA_LONG, 0);
        }
    }

    void set(String register, long value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment given = arena.allocateFrom(JAVA_LONG, value);
            call(WRITE, handle, NUMBERS[REGISTERS.indexOf(register)], given);
        }
    }

    @Override
    public void close() {
        call(CLOSE, handle);
    }
}
