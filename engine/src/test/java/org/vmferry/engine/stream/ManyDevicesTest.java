package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.RunState;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** A host with a thousand devices is asked for their names some times each, not for each other. */
class ManyDevicesTest {
    private static final int DEVICES = 1000;

    @TempDir Path folder;

    @Test
    void eachIsAskedForItsNameSomeTimes() throws Exception {
        Settings none = Settings.NONE;
        String uri = "file:" + folder.resolve("vm");
        Engine.create().send(new Host(DEVICES, 0), uri, none).await();
        Host loaded = new Host(DEVICES, 100);
        Engine.create().receive(loaded, uri, none).await();
        assertThat(loaded.devices).extracting(Device::value).startsWith(0, 1, 2).endsWith(999);
        assertThat(loaded.asked).hasValueLessThan(10 * DEVICES);

        Host fewer = new Host(DEVICES - 1, 0);
        assertThatThrownBy(() -> Engine.create().receive(fewer, uri, none).await())
                .hasMessageContaining("no device 'many' instance 999");
    }

    private static final class Host extends TestMachine {
        final AtomicInteger asked = new AtomicInteger();
        final List<Device> devices;

        Host(int count, int base) {
            super(RunState.PAUSED, heap(1, 0));
            devices = IntStream.range(0, count).mapToObj(i -> new Device(this, i, base)).toList();
        }

        @Override
        public List<DeviceState> devices() {
            return List.copyOf(devices);
        }
    }

    private static final class Device implements DeviceState {
        private final Host host;
        private final int instance;
        private int value;

        Device(Host host, int instance, int base) {
            this.host = host;
            this.instance = instance;
            value = base + instance;
        }

        int value() {
            return value;
        }

        @Override
        public String id() {
            host.asked.incrementAndGet();
            return "many";
        }

        @Override
        public int instance() {
            return instance;
        }

        @Override
        public void save(DataOutput out) throws IOException {
            out.writeInt(value);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            value = in.readInt();
        }
    }
}
