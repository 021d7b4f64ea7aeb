package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.ram.RamBlock;

import java.util.List;

/** A packet has room for so many offsets as its pages need: all have one size. */
@Tag("STR-16")
class PageSizeTest {
    private static RamBlock of(String id, int pageSize) {
        return Rams.block(id, 2, pageSize, false);
    }

    @ParameterizedTest
    @ValueSource(ints = {256, 1024, 4096, 1 << 16, Packet.DATA})
    void allHaveOne(int size) throws MigrationException {
        assertThat(PageSize.of(List.of(of("a", size), of("b", size)))).isEqualTo(size);
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 128, 2 * Packet.DATA})
    void tooSmallOrTooLargeIsRefusedByName(int size) {
        assertThatThrownBy(() -> PageSize.of(List.of(of("sram", size))))
                .isInstanceOf(MigrationException.class)
                .hasMessageContainingAll("from 256 to ", "block 'sram' has pages of " + size);
    }

    @Test
    void withoutABitForAFlushNoneIsSent() throws MigrationException {
        assertThatThrownBy(() -> PageSize.ofFlushed(List.of(of("sram", 256))))
                .isInstanceOf(MigrationException.class)
                .hasMessageContainingAll("'sram'", "set multifd-flush-after-each-section=on");
        assertThat(PageSize.ofFlushed(List.of(of("sram", 1024)))).isEqualTo(1024);
    }

    @Test
    void twoAreRefusedByName() {
        assertThatThrownBy(() -> PageSize.of(List.of(of("a", 4096), of("b", 8192))))
                .isInstanceOf(MigrationException.class)
                .hasMessageContainingAll("'a' has pages of 4096", "'b' of 8192");
    }
}
