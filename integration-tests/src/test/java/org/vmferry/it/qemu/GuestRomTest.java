package org.vmferry.it.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GuestRomTest {
    private static final int MIB = 1 << 20;

    @Test
    void theRomIsAsLongAsAFirmwareHasToBe() {
        assertThat(GuestRom.counting().image()).hasSize(GuestRom.LENGTH);
    }

    @Test
    void filledAndZeroPagesMix() {
        GuestRom rom = GuestRom.counting().fill(MIB, 8 * 4096);
        for (int page = 0; page < 9; page++) {
            byte[] bytes = rom.filledPage(MIB + page * 4096);
            if (page < 5) assertThat(bytes).isNotEqualTo(new byte[4096]);
            else assertThat(bytes).isEqualTo(new byte[4096]);
        }
        assertThat(rom.filledPage(MIB)).isNotEqualTo(rom.filledPage(MIB + 4096));
    }

    @Test
    void theRangesAreWholePagesOfOrdinaryMemory() {
        GuestRom rom = GuestRom.counting();
        assertThatIllegalArgumentException().isThrownBy(() -> rom.fill(MIB, 4095));
        assertThatIllegalArgumentException().isThrownBy(() -> rom.fill(0, 4096));
        assertThatIllegalArgumentException().isThrownBy(() -> rom.dirty(MIB, Long.MAX_VALUE));
    }

    @Test
    void theLastWholeLineCounts() {
        assertThat(GuestRom.lastCount("")).isZero();
        assertThat(GuestRom.lastCount("00000001\n00000002\n0000")).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00000002\n",
                "00000001\n00000001\n",
                "00000001\n00000003\n",
                "0000000\n",
                "00000001\n00000001\n",
                "BAD 00100000\n"
            })
    void aGapIsFound(String serial) {
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> GuestRom.lastCount(serial));
    }
}
