package org.vmferry.testkit.conformance;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32C;

/** A machine between the engine and the author's: notes what it was like when it changed state. */
final class Observed extends ForwardingMachine {
    final Machine machine;
    private final Duration linger;
    private volatile Map<String, Long> content = Map.of();
    private volatile RunState entered;

    /**
     * Over the author's machine.
     *
     * @param linger how long its guest still runs when it is to stop for the switch-over: so there
     *     is always something in the last round
     */
    Observed(Machine machine, Duration linger) {
        super(machine);
        this.machine = machine;
        this.linger = linger;
    }

    /** What it held when it was given up, or before it was started after a load. */
    Map<String, Long> content() {
        return content;
    }

    /** The state that the engine asked for last; null if for none. */
    RunState entered() {
        return entered;
    }

    /** RAM and devices of a machine that stands still. */
    static Map<String, Long> contentOf(Machine machine) {
        Map<String, Long> content = new TreeMap<>(ram(machine));
        for (DeviceState device : machine.devices()) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try {
                device.save(new DataOutputStream(bytes));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            CRC32C crc = new CRC32C();
            crc.update(bytes.toByteArray());
            content.put("device " + device.id() + "/" + device.instance(), crc.getValue());
        }
        return content;
    }

    /** RAM, also while the guest runs. */
    static Map<String, Long> ram(Machine machine) {
        Map<String, Long> content = new TreeMap<>();
        ByteBuffer piece = ByteBuffer.allocate(1 << 16);
        for (RamBlock block : machine.ram().blocks()) {
            CRC32C crc = new CRC32C();
            for (long at = 0; at < block.usedLength(); at += piece.limit()) {
                piece.clear().limit((int) Math.min(piece.capacity(), block.usedLength() - at));
                block.read(at, MemorySegment.ofBuffer(piece));
                crc.update(piece.duplicate());
            }
            content.put("RAM block " + block.id(), crc.getValue());
        }
        return content;
    }

    @Override
    public void enter(RunState state) throws MigrationException {
        entered = state;
        if (state == RunState.FINISH_MIGRATE) LockSupport.parkNanos(linger.toNanos());
        else if (machine.runState() != RunState.RUNNING) content = contentOf(machine);
        machine.enter(state);
    }
}
