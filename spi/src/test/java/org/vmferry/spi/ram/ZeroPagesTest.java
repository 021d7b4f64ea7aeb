package org.vmferry.spi.ram;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

class ZeroPagesTest {
    private static final int PAGE = 4096;

    private final Staging staging = new Staging();

    private static RamBlock block(boolean isNative, int... pages) {
        byte[] bytes = new byte[pages.length * PAGE];
        for (int i = 0; i < pages.length; i++) bytes[(i + 1) * PAGE - 1] = (byte) pages[i];
        MemorySegment heap = MemorySegment.ofArray(bytes);
        return RamBlock.of(
                "ram",
                isNative ? Arena.ofAuto().allocate(bytes.length, PAGE).copyFrom(heap) : heap,
                PAGE);
    }

    /** What the taker is given, in words. */
    private List<String> divided(Run run) {
        List<String> said = new ArrayList<>();
        ZeroPages.divide(
                run,
                staging,
                new ZeroPages.Extents<RuntimeException>() {
                    @Override
                    public void zeros(Run zeros) {
                        said.add("zeros " + zeros.firstPage() + "+" + zeros.pages());
                    }

                    @Override
                    public void others(Run others, MemorySegment bytes) {
                        byte[] there = new byte[(int) others.bytes()];
                        others.block().read(others.offset(), MemorySegment.ofArray(there));
                        assertThat(bytes.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(there);
                        said.add("others " + others.firstPage() + "+" + others.pages());
                    }
                });
        return said;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRunIsDividedInOrder(boolean isNative) {
        RamBlock ram = block(isNative, 9, 0, 0, 1, 2, 0, 3);
        assertThat(divided(new Run(ram, 1, 6)))
                .containsExactly("zeros 1+2", "others 3+2", "zeros 5+1", "others 6+1");
        assertThat(divided(new Run(ram, 0, 1))).containsExactly("others 0+1");
        assertThat(divided(new Run(ram, 1, 2))).containsExactly("zeros 1+2");
    }

    @Test
    void whatIsKnownToBeZeroIsNotLookedAt() {
        RamBlock known =
                new ForwardingBlock(block(true, 1, 1)) {
                    @Override
                    public boolean isKnownZero(long offset, long bytes) {
                        return true;
                    }
                };
        assertThat(divided(new Run(known, 0, 2))).containsExactly("zeros 0+2");
        ZeroPages.clear(new Run(known, 0, 2), staging);
        assertThat(divided(new Run(block(true, 1, 1), 0, 2))).containsExactly("others 0+2");
        assertThat(known.memory().orElseThrow().get(ValueLayout.JAVA_BYTE, PAGE - 1)).isOne();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("MAP-9")
    void pagesAreMadeZeroAndNoOthers(boolean isNative) {
        RamBlock ram = block(isNative, 1, 2, 0, 3, 4);
        ZeroPages.clear(new Run(ram, 1, 3), staging);
        assertThat(divided(new Run(ram, 0, 5)))
                .containsExactly("others 0+1", "zeros 1+3", "others 4+1");
    }

    @Test
    @Tag("MAP-9")
    void zerosAreNotWrittenOverZeros() {
        List<Long> written = new ArrayList<>();
        RamBlock ram =
                new ForwardingBlock(block(false, 0, 5, 0)) {
                    @Override
                    public void write(long offset, MemorySegment source) {
                        written.add(offset);
                        super.write(offset, source);
                    }
                };
        ZeroPages.clear(new Run(ram, 0, 3), staging);
        assertThat(written).isEqualTo(Arrays.asList((long) PAGE));
    }

    @Test
    void aBufferIsAsAlignedAsAsked() {
        assertThat(staging.buffer(10).byteSize()).isEqualTo(10);
        for (int alignment : new int[] {512, 4096, 1 << 16, 1 << 20}) {
            assertThat(staging.buffer(PAGE, alignment).address() % alignment).isZero();
        }
        assertThat(staging.buffer(3 << 20).byteSize()).isEqualTo(3 << 20);
        staging.close();
        assertThat(staging.buffer(1).byteSize()).isOne();
    }
}
