package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.testkit.fault.RestlessRam;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** A machine that is nothing but pages, of every kind that there is. */
final class PageHost implements Machine {
    static final int PAGE = 4096;

    private List<RamBlock> blocks =
            List.of(
                    RamBlock.of("large", Arena.ofAuto().allocate(300 * PAGE, PAGE), PAGE),
                    RamBlock.of("one page", MemorySegment.ofArray(new byte[PAGE]), PAGE),
                    RamBlock.of("ints", MemorySegment.ofArray(new int[70 * PAGE / 4]), PAGE),
                    RamBlock.of("zeros", Arena.ofAuto().allocate(37 * PAGE, PAGE), PAGE));
    private volatile RunState state;
    private RamProvider ram = () -> blocks;

    private PageHost(RunState state) {
        this.state = state;
    }

    /** One that stands still: pages with data, alone and in runs, between zero pages. */
    static PageHost source() {
        PageHost host = new PageHost(RunState.PAUSED);
        SplittableRandom random = new SplittableRandom(1);
        byte[] page = new byte[PAGE];
        for (RamBlock block : host.blocks.subList(0, 3)) {
            for (long n = 0; n < block.pages(); n++) {
                if (n % 17 > 11 || n % 100 > 60 && n % 2 == 0) continue;
                for (int i = 0; i < PAGE; i += n % 3 == 0 ? 1 : 500)
                    page[i] = (byte) random.nextInt();
                block.write(n * PAGE, MemorySegment.ofArray(page));
            }
        }
        return host;
    }

    /** One that runs, and whose pages change under who reads them. */
    static PageHost restless() {
        PageHost host = source();
        host.state = RunState.RUNNING;
        host.ram = new RestlessRam(() -> host.blocks, 3, () -> host.state == RunState.RUNNING);
        return host;
    }

    /** One that runs, and whose pages become zero when they were read. */
    static PageHost fading() {
        PageHost host = source();
        host.state = RunState.RUNNING;
        host.ram =
                new RestlessRam(() -> host.blocks, 3, () -> host.state == RunState.RUNNING) {
                    @Override
                    protected void change(RamBlock block, long offset) {
                        block.write(offset, MemorySegment.ofArray(new byte[PAGE]));
                    }
                };
        return host;
    }

    /** One to be loaded into that was just made: all of it is zero. */
    static PageHost fresh() {
        PageHost host = new PageHost(RunState.INMIGRATE);
        host.blocks =
                host.blocks.stream()
                        .map(block -> RamBlock.fresh(block.id(), zeros(block), PAGE))
                        .toList();
        return host;
    }

    private static MemorySegment zeros(RamBlock block) {
        return Arena.ofAuto().allocate(block.usedLength(), PAGE);
    }

    /** One to be loaded into; what it holds must not be seen afterwards. */
    static PageHost destination() {
        PageHost host = new PageHost(RunState.INMIGRATE);
        for (RamBlock block : host.blocks) {
            byte[] stale = new byte[(int) block.usedLength()];
            Arrays.fill(stale, (byte) 0x77);
            block.write(0, MemorySegment.ofArray(stale));
        }
        return host;
    }

    long pages() {
        return blocks.stream().mapToLong(RamBlock::pages).sum();
    }

    void assertEqual(PageHost source, String lookAt) {
        for (int i = 0; i < blocks.size(); i++) {
            assertArrayEquals(
                    source.bytes(i),
                    bytes(i),
                    "%s: RAM block '%s' differs".formatted(lookAt, blocks.get(i).id()));
        }
    }

    private byte[] bytes(int block) {
        byte[] bytes = new byte[(int) blocks.get(block).usedLength()];
        blocks.get(block).read(0, MemorySegment.ofArray(bytes));
        return bytes;
    }

    @Override
    public String type() {
        return "pages";
    }

    @Override
    public RunState runState() {
        return state;
    }

    @Override
    public void enter(RunState next) {
        state = next;
    }

    @Override
    public RamProvider ram() {
        return ram;
    }
}
