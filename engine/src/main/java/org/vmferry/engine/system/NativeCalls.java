package org.vmferry.engine.system;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How the engine reaches the C library, for the few things that the JDK does not offer. On Linux
 * with 64 bits only, and where it is allowed to; whoever uses it asks {@link #available} first, and
 * has a way without it.
 */
public final class NativeCalls {
    /** What {@link #handle} puts the error's number into: a call's first argument. */
    public static final StructLayout ERRNO = Linker.Option.captureStateLayout();

    private static final VarHandle NUMBER =
            ERRNO.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Linker.Option KEEP_ERRNO = Linker.Option.captureCallState("errno");
    private static final String SWITCH = "vmferry.native";

    private NativeCalls() {}

    /**
     * Whether they may be used without the JDK printing a warning: {@code --enable-native-access}
     * names this module, or ALL-UNNAMED on the class path, and {@code -Dvmferry.native=off} does
     * not forbid it.
     */
    public static boolean available() {
        return !"off".equals(System.getProperty(SWITCH))
                && NativeCalls.class.getModule().isNativeAccessEnabled()
                && System.getProperty("os.name").equals("Linux")
                && ValueLayout.ADDRESS.byteSize() == 8;
    }

    /**
     * A call that keeps its error's number.
     *
     * @param name in the C library, which is there
     * @param type its result and arguments, without what stands in front of them: memory for {@link
     *     #ERRNO}
     */
    public static MethodHandle handle(
            String name, FunctionDescriptor type, Linker.Option... options) {
        return find(name, type, options).orElseThrow();
    }

    /** A call as above, of which an older system's library knows nothing. */
    @SuppressWarnings("restricted") // the caller asked available()
    public static Optional<MethodHandle> find(
            String name, FunctionDescriptor type, Linker.Option... options) {
        Linker linker = Linker.nativeLinker();
        var all = Stream.concat(Stream.of(KEEP_ERRNO), Stream.of(options));
        return linker.defaultLookup()
                .find(name)
                .map(at -> linker.downcallHandle(at, type, all.toArray(Linker.Option[]::new)));
    }

    /** The number of the error that the last call left there. */
    public static int number(MemorySegment errno) {
        return (int) NUMBER.get(errno, 0L);
    }

    /** What a call's handle threw, as what it is. */
    public static IOException rethrow(Throwable e) {
        return switch (e) {
            case IOException io -> io;
            case RuntimeException r -> throw r;
            case Error error -> throw error;
            default -> new IOException(e);
        };
    }
}
