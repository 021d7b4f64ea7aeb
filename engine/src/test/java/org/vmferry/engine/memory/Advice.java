package org.vmferry.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.doubles.PresentPages;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a process may ask of the kernel for its memory: madvise. */
final class Advice {
    private static final int DONTNEED = 4;
    private static final int PAGEOUT = 21;

    private Advice() {}

    /** Pages are zero, and not there. */
    static void giveBack(MemorySegment pages) throws Throwable {
        assertThat(madvise(pages, DONTNEED)).isZero();
    }

    /** All of it is swapped out; needs a swap, and none of it is there then. */
    static void swapOut(MemorySegment memory) throws Throwable {
        needSwap();
        assumeTrue(madvise(memory, PAGEOUT) == 0, "has no MADV_PAGEOUT");
        assumeTrue(PresentPages.in(memory) == 0, "not all was swapped out");
    }

    private static void needSwap() throws IOException {
        assumeTrue(
                Files.readAllLines(Path.of("/proc/swaps")).size() > 1, "needs a swap to swap to");
    }

    private static int madvise(MemorySegment pages, int advice) throws Throwable {
        MethodHandle madvise =
                NativeCalls.handle(
                        "madvise",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT));
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment errno = scratch.allocate(NativeCalls.ERRNO);
            return (int) madvise.invokeExact(errno, pages, pages.byteSize(), advice);
        }
    }
}
