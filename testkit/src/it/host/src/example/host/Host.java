package example.host;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.discovery.RejectedPlugin;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;

/** Saves, restores and migrates a machine that is hardly more than its RAM. */
public final class Host implements Machine {
    private static final Settings MULTIFD = Settings.NONE.capability("multifd");

    private final MemorySegment memory = Arena.ofAuto().allocate(4 << 20, 4096);
    private final RamBlock block = RamBlock.of("host.ram", memory, 4096);
    private RunState state = RunState.PAUSED;

    private Host() {}

    /**
     * Does all of it.
     *
     * @param arguments a snapshot's path, a folder of plug-ins
     * @throws Exception if something fails
     */
    public static void main(String[] arguments) throws Exception {
        var original = new Host();
        for (long at = 0; at < original.memory.byteSize(); at += 8192 + Long.BYTES) {
            original.memory.set(ValueLayout.JAVA_LONG, at, at);
        }
        say("the engine is a named module", Engine.class.getModule().isNamed());

        String file = "file:" + arguments[0];
        Settings snapshot = MULTIFD.capability("mapped-ram");
        var restored = new Host();
        Engine.create().send(original, file, snapshot).await();
        Engine.create().receive(restored, file, snapshot).await();
        say("restored from a snapshot", original.isEqual(restored));
        original.enter(RunState.PAUSED); // after a snapshot it may go on here, too

        Settings zstd = MULTIFD.parameter("multifd-compression", "zstd");
        var packed = new Host();
        Migration incoming = Engine.create().receive(packed, "tcp:127.0.0.1:0", zstd);
        Engine.create().send(original, incoming.address().toString(), zstd).await();
        incoming.await();
        say("arrived with zstd", original.isEqual(packed));
        original.enter(RunState.PAUSED); // for the next one, though its guest is away

        Path folder = Path.of(arguments[1]);
        try (Plugins all = Plugins.discover().plus(Plugins.fromDirectory(folder))) {
            for (RejectedPlugin plugin : all.rejected()) System.err.println(plugin.sentence());
            Engine engine = new Engine(all);
            Settings rle = MULTIFD.parameter("multifd-compression", "rle");
            var arrived = new Host();
            Migration load = engine.receive(arrived, "memory:host", rle);
            engine.send(original, "memory:host", rle).await();
            load.await();
            say("arrived with others' plug-ins", original.isEqual(arrived));
        }
    }

    private static void say(String what, boolean holds) {
        System.out.println(what + ": " + holds);
    }

    private boolean isEqual(Host other) {
        return memory.mismatch(other.memory) < 0;
    }

    @Override
    public String type() {
        return "example";
    }

    @Override
    public RunState runState() {
        return state;
    }

    @Override
    public void enter(RunState next) {
        state = next;
    }

    @Override
    public RamProvider ram() {
        return () -> List.of(block);
    }
}
