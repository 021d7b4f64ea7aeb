package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.OptionalInt;
import java.util.Set;

/** What the table of page sizes knows. */
@Tag("STR-16")
class PageSizesTest {
    @ParameterizedTest
    @CsvSource({"q35,4096", "pc-q35-99.1,4096", "raspi0,1024", "sun4u,8192"})
    void aNameTells(String machine, int size) {
        assertThat(PageSizeTable.of(machine)).hasValue(size);
        assertThat(PageSizeTable.of(machine, Set.of("some.ram"))).hasValue(size);
    }

    /** Three targets have it, with two sizes. */
    @ParameterizedTest
    @CsvSource({"riscv_virt_board.ram,4096", "loongarch.ram,4096", "openrisc.ram,8192"})
    void itsRamTellsWhichVirtItIs(String ram, int size) {
        assertThat(PageSizeTable.of("virt", Set.of("virt.flash0", ram))).hasValue(size);
    }

    @Test
    void whatNobodyToldIsNotKnown() {
        OptionalInt nothing = OptionalInt.empty();
        assertThat(PageSizeTable.of("virt")).isEqualTo(nothing);
        assertThat(PageSizeTable.of("virt", Set.of("pc.ram"))).isEqualTo(nothing);
        assertThat(PageSizeTable.of("vir", Set.of("openrisc.ram"))).isEqualTo(nothing);
    }
}
