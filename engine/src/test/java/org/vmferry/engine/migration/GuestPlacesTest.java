package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Inspection;
import org.vmferry.engine.Inspection.Range;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/** What `info mtree` of QEMU 10.0 said of these machines; the live comparison is stress. */
class GuestPlacesTest {
    private static final long MIB = 1 << 20;

    private static String shown(List<Range> ranges) {
        StringBuilder text = new StringBuilder();
        for (Range range : ranges) {
            text.append("%x@%x+%x ".formatted(range.address(), range.offset(), range.length()));
        }
        return text.toString().strip();
    }

    private static Map<Inspection.Device, ByteBuffer> section(String name, ByteBuffer bytes) {
        return Map.of(new Inspection.Device(name, 0, 1, bytes.remaining()), bytes);
    }

    @ParameterizedTest
    @CsvSource({
        "pc-i440fx-10.0, pc.ram, 3583, 0@0+dff00000",
        "pc-i440fx-10.0, pc.ram, 3584, 0@0+c0000000 100000000@c0000000+20000000",
        "pc-i440fx-rhel7.6.0, pc.ram, 5120, 0@0+c0000000 100000000@c0000000+80000000",
        "pc-q35-10.0, pc.ram, 2815, 0@0+aff00000",
        "pc-q35-noble, pc.ram, 2816, 0@0+80000000 100000000@80000000+30000000",
        "pc-q35-10.0, pc.ram, 4096, 0@0+80000000 100000000@80000000+80000000",
        "pc-q35-10.0, pc.ram, 1048576, ''", // an AMD guest's would be elsewhere
        "xenfv-4.2, pc.ram, 64, ''",
        "pc-q35-10.0, dimm0, 64, ''",
        "microvm, microvm.ram, 3072, 0@0+c0000000",
        "microvm, microvm.ram, 4096, 0@0+c0000000 100000000@c0000000+40000000",
        "virt-10.0, mach-virt.ram, 64, 40000000@0+4000000",
        "virt, riscv_virt_board.ram, 64, 80000000@0+4000000",
        "virt, loongarch.ram, 1024, 0@0+10000000 80000000@10000000+30000000",
        "s390-ccw-virtio-10.0, s390.ram, 64, 0@0+4000000",
        "virt-10.0, m68k_virt.ram, 64, 0@0+4000000",
        "pc-q35-10.0, pc.bios, 1, fff00000@0+100000",
    })
    void byTheMachine(String machine, String block, long mebibytes, String expected) {
        long length = mebibytes * MIB;
        var places = new GuestPlaces(machine, Map.of(), List.of(length));
        assertThat(shown(places.of(block, length))).isEqualTo(expected);
    }

    private static ByteBuffer cmos(long lowMib, long highMib) {
        ByteBuffer cmos = ByteBuffer.allocate(200);
        long low = (lowMib - 16) * 16;
        long high = highMib * 16;
        cmos.put(0x34, (byte) low).put(0x35, (byte) (low >> 8));
        cmos.put(0x5b, (byte) high).put(0x5c, (byte) (high >> 8)).put(0x5d, (byte) (high >> 16));
        return cmos;
    }

    /** With max-ram-below-4g the border is anywhere. */
    @Test
    void thePcsCmosKnowsBetter() {
        var places =
                new GuestPlaces(
                        "pc-q35-10.0",
                        section("mc146818rtc", cmos(1024, 1024)),
                        List.of(2048 * MIB));
        assertThat(shown(places.of("pc.ram", 2048 * MIB)))
                .isEqualTo("0@0+40000000 100000000@40000000+40000000");
    }

    @ParameterizedTest
    @CsvSource({"1024, 1023", "4095, 4095", "16, 0"})
    void aCmosThatTheGuestWroteToDoesNot(long low, long high) {
        var places =
                new GuestPlaces(
                        "pc-q35-10.0",
                        section("mc146818rtc", cmos(low, high)),
                        List.of(2048 * MIB));
        assertThat(shown(places.of("pc.ram", 2048 * MIB))).isEqualTo("0@0+80000000");
        places =
                new GuestPlaces(
                        "pc-q35-10.0", section("mc146818rtc", ByteBuffer.allocate(9)), List.of());
        assertThat(shown(places.of("pc.ram", 64 * MIB))).isEqualTo("0@0+4000000");
    }

    @Test
    void virtioMemSaysWhereItIs() {
        String name = "0000:00:01.0/virtio-mem-device-early";
        ByteBuffer bytes = ByteBuffer.allocate(44).putLong(0x1_4000_0000L).putLong(128 * MIB);
        var sections = section(name, bytes.rewind());
        assertThat(GuestPlaces.needs(sections.keySet().iterator().next())).isTrue();
        var places = new GuestPlaces("pc-q35-10.0", sections, List.of(64 * MIB, 128 * MIB));
        assertThat(shown(places.of("m0", 128 * MIB))).isEqualTo("140000000@0+8000000");
        assertThat(places.of("m1", 64 * MIB)).isEmpty();
        // Of two blocks of its size either may be it.
        places = new GuestPlaces("pc-q35-10.0", sections, List.of(128 * MIB, 128 * MIB));
        assertThat(places.of("m0", 128 * MIB)).isEmpty();
    }
}
