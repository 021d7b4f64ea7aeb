package org.vmferry.it.api;

import org.mockito.Mockito;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.memory.GuestMemory;
import org.vmferry.engine.memory.KernelDirtyLog;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.transport.AllowedAddresses;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;

/** An object of each type that is in order wherever one is to be given. */
final class NullSamples implements AutoCloseable {
    private static final int PAGE = 4096;

    private final Map<Class<?>, Object> known = new HashMap<>();
    private final Path unused;
    private final Deque<AutoCloseable> toClose = new ArrayDeque<>();

    NullSamples(Path folder) throws Exception {
        unused = folder.resolve("qmp");
        ReferenceMachine machine = ReferenceMachine.builder().ram(1 << 20).dirtyWindow(64).build();
        toClose.push(machine);
        machine.enter(RunState.PAUSED);
        Path snapshot = folder.resolve("vm");
        Migration saved = Engine.create().send(machine, "file:" + snapshot, Settings.NONE);
        saved.await();
        GuestMemory memory = GuestMemory.allocate(Arena.ofAuto(), PAGE);
        RamBlock block = memory.block("ram", PAGE);
        for (Object one :
                List.of(
                        "file:" + snapshot,
                        saved,
                        machine,
                        memory,
                        Engine.create(),
                        Plugins.discover(),
                        Options.DEFAULTS,
                        Settings.NONE,
                        AllowedAddresses.ALL,
                        EngineOptions.MODE,
                        new PageBitmap(1),
                        Duration.ZERO,
                        new UUID(0, 0),
                        new Thread(() -> {}),
                        OptionalInt.empty(),
                        OptionalLong.empty(),
                        Optional.empty(),
                        new Object())) known.put(one.getClass(), one);
        known.put(Class.class, Machine.class);
        known.put(Throwable.class, new Exception("as a sample"));
        known.put(ClassLoader.class, NullSamples.class.getClassLoader());
        known.put(Machine.class, machine);
        known.put(Migratable.class, machine);
        known.put(RamBlock.class, block);
        known.put(MemorySegment.class, memory.segment());
        known.put(Arena.class, Arena.ofAuto());
        known.put(Path.class, snapshot);
        known.put(ByteBuffer.class, ByteBuffer.allocate(1));
        known.put(Option.class, EngineOptions.MODE);
        known.put(List.class, List.of());
        known.put(Iterable.class, List.of());
        known.put(Collection.class, List.of());
        known.put(Set.class, Set.of());
        known.put(Map.class, Map.of());
        known.put(SocketChannel.class, Mockito.mock(SocketChannel.class));
        if (KernelDirtyLog.obstacle(block).isEmpty())
            known.put(KernelDirtyLog.class, new KernelDirtyLog(List.of(block)));
    }

    Object of(Parameter parameter) throws Exception {
        Class<?> type = parameter.getType();
        String name = parameter.getName();
        if (type == boolean.class) return false;
        if (type == int.class) return name.equals("pageSize") ? PAGE : 1;
        if (name.equals("blocks")) return List.of(of(RamBlock.class));
        if (name.equals("words")) return List.of("a word");
        if (name.equals("socket")) return type == Path.class ? unused : of(type);
        if (type == long.class) return name.equals("bytes") ? (long) PAGE : 0L;
        return of(type);
    }

    Object of(Class<?> type) throws Exception {
        Object there = known.get(type);
        if (there != null) return there;
        Object made;
        if (type.isEnum()) made = type.getEnumConstants()[0];
        else if (type.isArray()) made = Array.newInstance(type.getComponentType(), 0);
        else if (type.isSealed()) made = of(type.getPermittedSubclasses()[0]);
        else if (Modifier.isAbstract(type.getModifiers())) made = Mockito.mock(type);
        else made = construct(type);
        known.put(type, made);
        if (made instanceof AutoCloseable open) toClose.push(open);
        return made;
    }

    private Object construct(Class<?> type) throws Exception {
        Constructor<?> shortest =
                Arrays.stream(type.getConstructors())
                        .min(Comparator.comparingInt(Constructor::getParameterCount))
                        .orElseThrow(() -> new AssertionError("no sample of " + type));
        Object[] arguments = new Object[shortest.getParameterCount()];
        Parameter[] parameters = shortest.getParameters();
        for (int i = 0; i < arguments.length; i++) arguments[i] = of(parameters[i]);
        return shortest.newInstance(arguments);
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable one : toClose) one.close();
    }
}
