package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;

/** A file may say any length of a block. */
class GuestPlacesTest {
    @ParameterizedTest
    @ValueSource(longs = {Long.MAX_VALUE, Long.MAX_VALUE - 4095, 1L << 62, 1L << 41})
    void whatNoMachineHasRoomForIsNowhere(long length) {
        for (String machine : List.of("pc-q35-10.0", "pc-i440fx-10.0", "virt", "")) {
            GuestPlaces places = new GuestPlaces(machine, Map.of(), List.of(length));
            for (String block : List.of("pc.ram", "microvm.ram", "loongarch.ram", "pc.bios")) {
                assertThat(places.of(block, length)).as(machine + " " + block).isEmpty();
            }
        }
    }
}
