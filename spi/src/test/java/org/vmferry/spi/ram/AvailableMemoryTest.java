package org.vmferry.spi.ram;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

class AvailableMemoryTest {
    @Test
    void whatLinuxSaysIsReadInKib() {
        assertThat(AvailableMemory.in(List.of("MemTotal: 9 kB", "MemAvailable:    1234 kB")))
                .hasValue(1234 << 10);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "MemFree:          1234 kB",
                "MemAvailable:     1234",
                "MemAvailable:       -1 kB",
                "MemAvailable: 1125899906842624 kB",
                "MemAvailable:          kB",
                "MemAvailable: kB",
                ""
            })
    void whatIsNoAmountIsUnknown(String line) {
        assertThat(AvailableMemory.in(List.of(line))).isEmpty();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void linuxSaysIt() {
        assertThat(AvailableMemory.bytes().getAsLong()).isBetween(1L << 20, 1L << 50);
    }
}
