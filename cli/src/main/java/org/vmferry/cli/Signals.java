package org.vmferry.cli;

import org.vmferry.engine.system.NativeCalls;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;

/** What signals do to this process. */
final class Signals {
    // The same numbers on every Unix.
    private static final List<Integer> ENDING = List.of(1, 2, 15); // HUP, INT, TERM
    private static final MemorySegment IGNORED = MemorySegment.ofAddress(1); // SIG_IGN

    private Signals() {}

    /**
     * Gives HUP, INT and TERM their usual effect, which is to end the process; a JVM whose end has
     * begun would take no notice of them. Where native calls are not allowed, nothing changes.
     */
    static void endAtOnce() {
        if (!NativeCalls.available()) return;
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle signal =
                    NativeCalls.handle(
                            "signal",
                            FunctionDescriptor.of(
                                    ValueLayout.ADDRESS,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.ADDRESS));
            MemorySegment errno = arena.allocate(NativeCalls.ERRNO);
            for (int number : ENDING) {
                var before = (MemorySegment) signal.invokeExact(errno, number, MemorySegment.NULL);
                if (before.equals(IGNORED)) { // as under nohup
                    var usual = (MemorySegment) signal.invokeExact(errno, number, before);
                }
            }
        } catch (Throwable e) {
            // Then a second one has no effect, as before.
        }
    }
}
