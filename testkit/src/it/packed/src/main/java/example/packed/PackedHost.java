package example.packed;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.discovery.RejectedPlugin;
import org.vmferry.engine.guest.GuestThread;
import org.vmferry.engine.memory.GuestMemory;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.io.BufferedReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Consumer;

/**
 * A guest that counts all over its RAM is saved, restored, and moved live to a second process,
 * which is started as this one was: whatever this class is packed into.
 */
public final class PackedHost implements Machine, AutoCloseable {
    private static final long PAGES = 256;
    private static final Settings SNAPSHOT = Settings.NONE.capability("mapped-ram");

    private final GuestMemory memory = GuestMemory.allocate(PAGES * 4096);
    private final MemorySegment ram = memory.segment();
    private final RamBlock block = memory.block("packed.ram", 4096);
    private final GuestThread cpu = new GuestThread("packed", this::slice);

    /**
     * Does all three.
     *
     * @param arguments a folder, or "arrive" in the second process; codecs with which it moves, by
     *     commas; and if there is one, a folder of plug-ins
     * @throws Exception if something fails
     */
    public static void main(String[] arguments) throws Exception {
        // From a thread whose context class loader may see nothing of what this one sees.
        Engine engine = ForkJoinPool.commonPool().submit(() -> engine(arguments)).get();
        String[] codecs = arguments[1].split(",");
        if (arguments[0].equals("arrive")) {
            for (String codec : codecs)
                System.out.println(arrive(engine, codec, System.out::println));
            return;
        }
        System.out.println("vmferry " + Engine.version());
        System.out.println(restore(engine, Path.of(arguments[0])));
        Process second = again(arguments);
        try (BufferedReader said = second.inputReader()) {
            for (String codec : codecs) {
                leave(engine, codec, said.readLine());
                System.out.println(said.readLine());
            }
        } finally {
            second.destroy();
        }
    }

    private static Engine engine(String[] arguments) throws MigrationException {
        if (arguments.length == 2) return Engine.create();
        Path folder = Path.of(arguments[2]);
        Plugins all = Plugins.discover().plus(Plugins.fromDirectory(folder));
        for (RejectedPlugin one : all.rejected()) System.err.println(one.sentence());
        return new Engine(all);
    }

    /**
     * For a container whose plug-ins the engine's class loader does not see.
     *
     * @param loaders each of a plug-in
     * @return one that finds them
     */
    public static Engine engine(List<ClassLoader> loaders) {
        Plugins all = Plugins.discover();
        for (ClassLoader loader : loaders) all = all.plus(Plugins.discover(loader));
        return new Engine(all);
    }

    /**
     * All within this process.
     *
     * @param engine of {@link #engine}
     * @param folder for its snapshot
     * @return in words
     * @throws Exception if something fails
     */
    public static String within(Engine engine, Path folder) throws Exception {
        var address = new CompletableFuture<String>();
        var arrived = new CompletableFuture<String>();
        Runnable arrival =
                () -> {
                    try {
                        arrived.complete(arrive(engine, "zstd", address::complete));
                    } catch (Exception e) {
                        address.completeExceptionally(e);
                        arrived.completeExceptionally(e);
                    }
                };
        String restored = restore(engine, folder);
        Thread.ofPlatform().start(arrival);
        leave(engine, "zstd", address.get());
        return restored + ", " + arrived.get();
    }

    /**
     * Saves one and restores it.
     *
     * @param engine with mapped-ram
     * @param folder for the snapshot
     * @return how it went, in words
     * @throws Exception if something fails
     */
    public static String restore(Engine engine, Path folder) throws Exception {
        String file = "file:" + folder.resolve("packed.snap");
        try (var guest = new PackedHost();
                var restored = new PackedHost()) {
            guest.run();
            engine.send(guest, file, SNAPSHOT).await();
            engine.receive(restored, file, SNAPSHOT).await();
            return engine.inspect(file).machine() + " restored " + restored.seen();
        }
    }

    /**
     * Waits for one from elsewhere.
     *
     * @param engine with multifd
     * @param codec with which it comes
     * @param listening hears where it is waited for
     * @return how it went, in words
     * @throws Exception if something fails
     */
    public static String arrive(Engine engine, String codec, Consumer<String> listening)
            throws Exception {
        try (var guest = new PackedHost()) {
            Migration arrival = engine.receive(guest, "tcp:127.0.0.1:0", live(codec));
            listening.accept(arrival.address().toString());
            arrival.await();
            return "arrived " + guest.seen();
        }
    }

    /**
     * Sends one.
     *
     * @param engine with multifd
     * @param codec with which it goes
     * @param address where it is waited for
     * @throws Exception if something fails
     */
    public static void leave(Engine engine, String codec, String address) throws Exception {
        try (var guest = new PackedHost()) {
            guest.run();
            engine.send(guest, address, live(codec)).await();
        }
    }

    private static Settings live(String codec) {
        return Settings.NONE
                .capability("return-path")
                .capability("multifd")
                .parameter("multifd-compression", codec);
    }

    /** This program once more, as the other end. */
    private static Process again(String[] arguments) throws Exception {
        ProcessHandle.Info self = ProcessHandle.current().info();
        List<String> command = new ArrayList<>(List.of(self.arguments().orElseThrow()));
        command.set(command.size() - arguments.length, "arrive");
        command.addFirst(self.command().orElseThrow());
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    /** Until it has been everywhere. */
    private void run() throws Exception {
        enter(RunState.RUNNING);
        while (count() < 2 * PAGES) Thread.sleep(1);
    }

    private long count() {
        return ram.get(ValueLayout.JAVA_LONG, 0);
    }

    private RunState slice() {
        for (int i = 0; i < 1000; i++) {
            long next = count() + 1;
            ram.set(ValueLayout.JAVA_LONG, next % PAGES * 4096 + 8, next);
            ram.set(ValueLayout.JAVA_LONG, 0, next);
        }
        return RunState.RUNNING;
    }

    /** Whether each page has the number that was last counted there. */
    private String seen() throws MigrationException {
        String state = runState().toString();
        enter(RunState.PAUSED);
        for (long page = 0; page < PAGES; page++) {
            long last = ram.get(ValueLayout.JAVA_LONG, page * 4096 + 8);
            long before = count() - last;
            if (last % PAGES != page || before < 0 || before >= PAGES)
                return "with " + last + " in page " + page + " at " + count();
        }
        return "whole and " + state;
    }

    @Override
    public String type() {
        return "packed";
    }

    @Override
    public RunState runState() {
        return cpu.runState();
    }

    @Override
    public void enter(RunState next) throws MigrationException {
        cpu.enter(next);
    }

    @Override
    public RamProvider ram() {
        return () -> List.of(block);
    }

    @Override
    public void close() throws MigrationException {
        enter(RunState.SHUTDOWN);
    }
}
