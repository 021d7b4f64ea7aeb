package org.vmferry.it.live;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * A process that has done nothing before it sends or receives a machine. A class of its own is
 * loaded when the guest's pause begins, and another when it is over: what the JVM logs between the
 * two was loaded meanwhile.
 */
final class FreshSide implements Machine, DeviceState {
    /** The source's guest is paused; or at the destination its last round is there. */
    static final class Begins {
        static void now() {}
    }

    /** The guest runs at the destination, or the source knows it. */
    static final class Ends {
        static void now() {}
    }

    private static final int PAGE = 4096;

    private final MemorySegment memory = Arena.ofAuto().allocate(64 * PAGE, PAGE);
    private final RamBlock block = RamBlock.of("fresh.ram", memory, PAGE);
    private final AtomicDirtyLog log = new AtomicDirtyLog(List.of(block));
    private RunState state;

    private FreshSide(RunState state) {
        this.state = state;
    }

    /** Sends to an address, or listens at one and says so; with capabilities and parameters. */
    public static void main(String[] words) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
        Settings settings = Settings.NONE.capability("return-path");
        for (int i = 2; i < words.length; i++) {
            String[] option = words[i].split("=", 2);
            settings =
                    option.length == 1
                            ? settings.capability(option[0])
                            : settings.parameter(option[0], option[1]);
        }
        Engine engine = Engine.create();
        if (words[0].equals("send")) {
            engine.send(new FreshSide(RunState.RUNNING), words[1], settings).await();
        } else {
            Migration load = engine.receive(new FreshSide(RunState.INMIGRATE), words[1], settings);
            System.out.println(load.address());
            load.await();
        }
    }

    @Override
    public String type() {
        return "fresh";
    }

    @Override
    public RunState runState() {
        return state;
    }

    /** All of its RAM is zero until it is paused: no codec is needed before. */
    @Override
    public void enter(RunState next) {
        state = next;
        switch (next) {
            case FINISH_MIGRATE -> {
                memory.set(ValueLayout.JAVA_LONG, 0, 1);
                log.mark(block, 0);
                Begins.now();
            }
            case RUNNING, POSTMIGRATE -> Ends.now();
            default -> {}
        }
    }

    @Override
    public RamProvider ram() {
        return RamProvider.of(List.of(block), log);
    }

    @Override
    public List<DeviceState> devices() {
        return List.of(this);
    }

    @Override
    public String id() {
        return "fresh-device";
    }

    @Override
    public void save(DataOutput out) throws IOException {
        out.writeInt(1);
    }

    @Override
    public void load(DataInput in, int version) throws IOException {
        in.readInt();
        Begins.now();
    }
}
