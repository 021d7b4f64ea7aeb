package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.DeviceField;
import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.RunState;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The names that a host's device gives its bytes are found in the snapshot, and with them what they
 * mean.
 */
@Tag("STR-14")
class DeviceFieldsTest {
    @TempDir Path folder;

    /** Saves a byte, three bytes that are no number, and an int. */
    private record Device(Field... named) implements DeviceState {
        @Override
        public String id() {
            return "chip";
        }

        @Override
        public void save(DataOutput out) throws IOException {
            out.writeByte(0xff);
            out.writeBytes("abc");
            out.writeInt(-2);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            in.readFully(new byte[8]);
        }

        @Override
        public List<Field> fields() {
            return List.of(named);
        }
    }

    private List<String> inspected(DeviceState device) throws Exception {
        TestMachine machine =
                new TestMachine(RunState.PAUSED, TestMachine.heap(4, 1)) {
                    @Override
                    public List<DeviceState> devices() {
                        return List.of(device);
                    }
                };
        String uri = "file:" + folder.resolve("vm");
        Engine.create().send(machine, uri, Settings.NONE).await();
        Inspection all = Engine.create().inspect(uri, cancel -> {}, wanted -> true);
        Engine.create().receive(machine, uri, Settings.NONE).await(); // whatever it is called
        return all.contents().fields(all.devices().getFirst()).stream()
                .map(DeviceFieldsTest::shown)
                .toList();
    }

    private static String shown(DeviceField field) {
        String value =
                field.number().map(Object::toString).orElse(field.bytes().remaining() + " bytes");
        return field.name() + " " + field.type() + " " + value;
    }

    @Test
    void eachFieldHasItsNameAndItsNumber() throws Exception {
        assertThat(
                        inspected(
                                new Device(
                                        new DeviceState.Field("mode", 1),
                                        new DeviceState.Field("text", 3),
                                        new DeviceState.Field("count", 4))))
                .containsExactly(
                        "length uint32 8",
                        "mode uint8 255",
                        "text buffer 3 bytes",
                        "count uint32 4294967294");
    }

    @Test
    void numbersAreNamedWithoutACodeOfTheHost() throws Exception {
        Map<String, Long> cpu = new HashMap<>(Map.of("pc", 0x1000L, "sp", -1L));
        assertThat(inspected(DeviceState.ofNumbers("cpu", List.of("pc", "sp"), cpu::get, cpu::put)))
                .containsExactly(
                        "length uint32 16", "pc uint64 4096", "sp uint64 18446744073709551615");
    }

    @Test
    void namesThatAreNotThoseOfItsBytesAreLeftOutAndSaidSo() throws Exception {
        String said =
                Logged.during(
                        () ->
                                assertThat(inspected(new Device(new DeviceState.Field("mode", 7))))
                                        .containsExactly("length uint32 8", "data buffer 8 bytes"));
        assertThat(said)
                .contains("device 'chip' saved 8 bytes, and its fields() are 7")
                .hasLineCount(1);
        String silence =
                Logged.during(
                        () ->
                                assertThat(inspected(new Device()))
                                        .containsExactly("length uint32 8", "data buffer 8 bytes"));
        assertThat(silence).isEmpty();
    }
}
