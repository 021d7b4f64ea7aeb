package org.vmferry.engine.migration;

import org.vmferry.engine.stream.DeviceReader;
import org.vmferry.engine.stream.DeviceSections;
import org.vmferry.engine.stream.SectionWriter;
import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.engine.stream.StreamOut;
import org.vmferry.engine.stream.StreamReader;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.RamBlock;

import java.util.Optional;
import java.util.UUID;

/** A machine's devices. */
record DeviceContents(Machine machine) implements Contents {
    @Override
    public Optional<UUID> uuid() {
        return machine.uuid().filter(id -> !id.equals(StreamHeader.NO_UUID));
    }

    @Override
    public Configuration configuration(int pageSize, Options options) throws MigrationException {
        return StreamHeader.of(machine.type(), pageSize, machine.uuid(), options);
    }

    @Override
    public SectionWriter writer(StreamOut out, Configuration configuration, int pageSize) {
        return state ->
                DeviceSections.write(out, configuration, machine.devices(), state, pageSize);
    }

    @Override
    public Optional<CpuThrottle> throttle() {
        return machine.throttle();
    }

    @Override
    public void begin(Configuration configuration, MigrationSession session)
            throws MigrationException {
        if (!configuration.machine().isEmpty() && !configuration.machine().equals(machine.type())) {
            throw MigrationException.user(
                    "the stream is of a machine '%s', this one is '%s'",
                    configuration.machine(), machine.type());
        }
    }

    @Override
    public StreamReader reader(
            MigrationSession session, StreamIn in, StreamReader.Handler handler) {
        return new DeviceReader(session, in, handler, machine.devices());
    }

    @Override
    public Optional<Integer> pageSize() {
        return machine.ram().blocks().stream().findFirst().map(RamBlock::pageSize);
    }
}
