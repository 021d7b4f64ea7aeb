package org.vmferry.spi.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.vmferry.spi.machine.DeviceState.Field;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A device of numbers: what it writes, names, and takes of others. */
class NumbersDeviceTest {
    private static final UncheckedIOException NONSENSE =
            new UncheckedIOException(new IOException("no such place"));

    private final Map<String, Long> cpu = new HashMap<>(Map.of("pc", 0x1000L, "sp", -1L));
    private final DeviceState device =
            DeviceState.ofNumbers("cpu", List.of("pc", "sp"), cpu::get, cpu::put);

    private static byte[] saved(DeviceState device) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        device.save(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    private static void load(DeviceState device, byte[] payload) throws IOException {
        device.load(new DataInputStream(new ByteArrayInputStream(payload)), 1);
    }

    @Test
    void eachIsEightBytesInTheOrderOfTheNames() throws IOException {
        assertThat(saved(device))
                .isEqualTo(ByteBuffer.allocate(16).putLong(0x1000).putLong(-1).array());
        assertThat(device.fields()).containsExactly(new Field("pc", 8), new Field("sp", 8));
        assertThat(device.id()).isEqualTo("cpu");

        byte[] other = ByteBuffer.allocate(16).putLong(Long.MIN_VALUE).putLong(7).array();
        load(device, other);
        assertThat(cpu).isEqualTo(Map.of("pc", Long.MIN_VALUE, "sp", 7L));
    }

    @Test
    void bytesThatEndEarlyChangeNothing() throws IOException {
        Map<String, Long> before = Map.copyOf(cpu);
        byte[] cut = Arrays.copyOf(new byte[16], 15);
        assertThatThrownBy(() -> load(device, cut)).isInstanceOf(EOFException.class);
        assertThat(cpu).isEqualTo(before);
    }

    @Test
    void whatMakesNoSenseIsTheStreamsFault() {
        DeviceState strict =
                DeviceState.ofNumbers(
                        "cpu",
                        List.of("pc"),
                        name -> {
                            throw NONSENSE;
                        },
                        (name, value) -> {
                            throw NONSENSE;
                        });
        assertThatThrownBy(() -> load(strict, new byte[8])).isSameAs(NONSENSE.getCause());
        assertThatThrownBy(() -> saved(strict)).isSameAs(NONSENSE.getCause());
    }

    @Test
    void twoOfOneNameAreRefused() {
        assertThatThrownBy(
                        () -> DeviceState.ofNumbers("cpu", List.of("pc", "pc"), cpu::get, cpu::put))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("device 'cpu' has two numbers of one name: [pc, pc]");
    }

    @Test
    void aFieldHasANameAndALength() {
        assertThat(new Field("\u00e9".repeat(127), 1).bytes()).isEqualTo(1);
        assertThatThrownBy(() -> new Field("\u00e9".repeat(128), 1))
                .hasMessage("a field's name of 256 bytes: 1 to 255 are allowed");
        assertThatThrownBy(() -> new Field("", 1))
                .hasMessage("a field's name of 0 bytes: 1 to 255 are allowed");
        assertThatThrownBy(() -> new Field("pc", 0))
                .hasMessage("a field 'pc' of 0 bytes: 1 is the least");
    }
}
