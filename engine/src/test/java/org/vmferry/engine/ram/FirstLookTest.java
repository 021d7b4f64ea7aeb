package org.vmferry.engine.ram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.GatheringByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

class FirstLookTest {
    private static final int PAGE = 4096;
    private static final int BYTES = 8 << 20;

    private final Arena arena = Arena.ofAuto();
    private final RamBlock block = RamBlock.of("pc.ram", arena.allocate(BYTES, PAGE), PAGE);

    /** Takes so long for pages that it sees for the first time, and so long for others. */
    private static final class Kernel implements FirstLook.Kernel {
        private final long first;
        private final long again;
        private final Set<Long> seen = new HashSet<>();
        private final List<Long> addresses = new ArrayList<>();

        Kernel(long first, long again) {
            this.first = first;
            this.again = again;
        }

        @Override
        public long look(ByteBuffer[] pages) {
            long taken = 0;
            for (ByteBuffer page : pages) {
                assertThat(page.remaining()).isEqualTo(1);
                page.get();
                long address = MemorySegment.ofBuffer(page).address();
                addresses.add(address / PAGE);
                taken += seen.add(address / PAGE) ? first : again;
            }
            return taken;
        }
    }

    @Test
    void isDearIfItTakesLongerThanACopy() throws IOException {
        assertThat(FirstLook.isDear(block, new Kernel(7000, 100))).isTrue();
        assertThat(FirstLook.isDear(block, new Kernel(400, 100))).isFalse();
    }

    /** An interpreter is as slow the second time; pages of a huge one are one to the kernel. */
    @Test
    void isNotDearWhereEachLookIs() throws IOException {
        assertThat(FirstLook.isDear(block, new Kernel(7000, 6500))).isFalse();
    }

    @Test
    void oneThatWasDisturbedTellsNothing() throws IOException {
        Kernel kernel = new Kernel(100, 100);
        int[] looks = {0};
        FirstLook.Kernel disturbed =
                pages -> kernel.look(pages) + (looks[0]++ == 0 ? 50_000_000 : 0);
        assertThat(FirstLook.isDear(block, disturbed)).isFalse();
    }

    /** Else it were the second look of the kernel's that is taken for its first. */
    @Test
    void takesOtherPagesEachTime() throws IOException {
        Kernel one = new Kernel(0, 0);
        Kernel other = new Kernel(0, 0);
        FirstLook.isDear(block, one);
        FirstLook.isDear(block, other);
        assertThat(other.seen).isNotEqualTo(one.seen);
    }

    @Test
    void leavesAloneWhatWasNeverTouched() throws IOException {
        RamBlock half =
                new ForwardingBlock(block) {
                    @Override
                    public boolean isKnownZero(long offset, long bytes) {
                        return offset + bytes > BYTES / 2;
                    }
                };
        long start = block.memory().orElseThrow().address() / PAGE;
        Kernel kernel = new Kernel(7000, 100);
        FirstLook.isDear(half, kernel);
        assertThat(kernel.addresses).allMatch(page -> page < start + BYTES / 2 / PAGE);

        RamBlock none =
                new ForwardingBlock(block) {
                    @Override
                    public boolean isKnownZero(long offset, long bytes) {
                        return true;
                    }
                };
        Kernel idle = new Kernel(7000, 100);
        assertThat(FirstLook.isDear(none, idle)).isFalse();
        assertThat(idle.addresses).isEmpty();
    }

    @Test
    void asksForWholePagesOnly() throws IOException {
        int size = BYTES / 2;
        RamBlock large =
                new ForwardingBlock(RamBlock.of("large", block.memory().orElseThrow(), size)) {
                    @Override
                    public boolean isKnownZero(long offset, long bytes) {
                        assertThat(offset % size).isZero();
                        assertThat(bytes % size).isZero();
                        return false;
                    }
                };
        assertThat(FirstLook.isDear(large, new Kernel(7000, 100))).isTrue();
    }

    @Test
    void theKernelLooksWhileItWrites() throws IOException {
        GatheringByteChannel slow = mock(GatheringByteChannel.class);
        ByteBuffer[] pages = {ByteBuffer.allocate(1), ByteBuffer.allocate(1)};
        doAnswer(
                        call -> {
                            long end = System.nanoTime() + 2_000_000;
                            while (System.nanoTime() < end) Thread.onSpinWait();
                            return 2L;
                        })
                .when(slow)
                .write(pages);
        assertThat(FirstLook.through(slow).look(pages)).isGreaterThan(1_000_000);
    }

    /** What happened to it is told where it is moved. */
    @Test
    void aFileThatHasBecomeShorterTellsNothing(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("ram");
        try (FileChannel channel = FileChannel.open(file, CREATE, READ, WRITE);
                Arena mapping = Arena.ofShared()) {
            channel.write(ByteBuffer.allocate(BYTES));
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES, mapping);
            channel.truncate(0);
            assertThat(FirstLook.isDear(RamBlock.of("cut", mapped, PAGE))).isFalse();
        }
    }

    @Test
    void isAskedOfTheKernelHere() {
        FirstLook.isDear(block); // which of both depends on the machine; it ends
        assertThat(
                        FirstLook.isDear(
                                RamBlock.of("heap", MemorySegment.ofArray(new byte[BYTES]), PAGE)))
                .isFalse();
        assertThat(FirstLook.isDear(RamBlock.of("small", arena.allocate(64 << 10, PAGE), PAGE)))
                .isFalse();
    }
}
