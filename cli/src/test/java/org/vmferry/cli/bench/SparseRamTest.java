package org.vmferry.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

class SparseRamTest {
    private static final long MIB = 1 << 20;
    private static final long GIB = 1 << 30;

    @ParameterizedTest
    @CsvSource({"64, 1", "64, 50", "3584, 7", "4096, 10", "32768, 1"})
    void isSpreadOverAllOfIt(long mib, int percent) {
        var ram = new SparseRam(mib * MIB, percent);
        List<Long> offsets = ram.offsets();
        assertThat(ram.used() / (double) (mib * MIB))
                .as("the part in use")
                .isBetween(percent * 0.9 / 100, percent * 1.0 / 100);
        assertThat(ram.content()).hasSize((int) ram.run());
        for (int i = 0; i < offsets.size(); i++) {
            long end = offsets.get(i) + ram.run();
            assertThat(offsets.get(i)).isPositive();
            assertThat(end)
                    .isLessThanOrEqualTo(i + 1 < offsets.size() ? offsets.get(i + 1) : ram.size());
            // A guest of QEMU's has nothing between 3 and 4 GiB, if it has more than that.
            long address = QemuProcess.Builder.address(ram.size(), offsets.get(i));
            boolean low = address + ram.run() <= (mib < 3584 ? mib * MIB : 3 * GIB);
            assertThat(low || address >= 4 * GIB).isTrue();
            assertThat(address).isLessThan(ram.size() + GIB);
        }
    }
}
