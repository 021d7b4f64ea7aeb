package org.vmferry.it.docs;

import org.vmferry.engine.Engine;
import org.vmferry.engine.memory.GuestMemory;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

class ReadmeExample implements Machine {
    static final Settings MAPPED_RAM = Settings.NONE.capability("mapped-ram");

    final GuestMemory memory = GuestMemory.allocate(16 << 20); // memory.segment() is all of it
    final RamBlock block = memory.block("guest.ram", 4096);
    RunState state = RunState.PAUSED;
    long ticks;

    static void save(ReadmeExample guest, Path file) throws Exception {
        Engine.create().send(guest, "file:" + file, MAPPED_RAM).await();
    }

    static ReadmeExample restore(Path file) throws Exception {
        var guest = new ReadmeExample();
        Engine.create().receive(guest, "file:" + file, MAPPED_RAM).await();
        return guest;
    }

    @Override
    public String type() {
        return "my-emulator";
    }

    @Override
    public RunState runState() {
        return state;
    }

    @Override
    public void enter(RunState next) {
        state = next; // and stop the virtual CPUs, or start them if it is RUNNING
    }

    @Override
    public RamProvider ram() {
        return () -> List.of(block);
    }

    @Override
    public List<DeviceState> devices() {
        return List.of(new Clock());
    }

    class Clock implements DeviceState {
        @Override
        public String id() {
            return "clock";
        }

        @Override
        public void save(DataOutput out) throws IOException {
            out.writeLong(ticks);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            ticks = in.readLong();
        }
    }
}
