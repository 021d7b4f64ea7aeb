package org.vmferry.engine.guard;

import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.MachineArchive;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.Opener;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An object of somebody else's behind its interface: each call passes the guard, and what a call
 * gives is guarded too. Those that are called for each page, or whose results can be checked, have
 * a class of their own.
 */
final class Guarded implements InvocationHandler {
    private static final List<Class<?>> TYPES =
            List.of(
                    RamProvider.class,
                    RamTarget.class,
                    DirtyLog.class,
                    DeviceState.class,
                    CpuThrottle.class,
                    SectionStore.class,
                    ChannelTransport.class,
                    Opener.class,
                    Acceptor.class,
                    FileTransport.class,
                    OutgoingFile.class,
                    IncomingFile.class,
                    FileLayout.Saver.class,
                    FileLayout.Loader.class,
                    PageCarrier.Sender.class,
                    PageCarrier.Receiver.class,
                    Iterator.class,
                    Machine.class,
                    MachineArchive.class);

    /** Methods that end something: nothing that they throw keeps the rest from ending. */
    private static final Set<String> ENDS = Set.of("close", "release");

    private final Guard guard;
    private final Object target;

    private Guarded(Guard guard, Object target) {
        this.guard = guard;
        this.target = target;
    }

    /** A guarded object of an interface. */
    static Object of(Class<?> type, Object target, Guard guard) {
        if (target instanceof RamBlock block) return new GuardedBlock(guard, block);
        if (target instanceof Channel channel) return new GuardedChannel(guard, channel);
        if (target instanceof PositionedFile file) return new GuardedFile(guard, file);
        if (target instanceof CompressionProvider codec) return new GuardedCodec(guard, codec);
        Set<Class<?>> types = new LinkedHashSet<>();
        if (!type.isSealed()) types.add(type);
        if (type == Migratable.class) types.add(StandIn.class);
        // One class may be several: RAM and its dirty log, a placement and its records.
        for (Class<?> other : TYPES) if (other.isInstance(target)) types.add(other);
        return Proxy.newProxyInstance(
                Guarded.class.getClassLoader(),
                types.toArray(Class<?>[]::new),
                new Guarded(guard, target));
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
        if (method.getDeclaringClass() == Object.class) return object(proxy, method, arguments);
        if (method.getDeclaringClass() == StandIn.class) return target;
        String name = Guard.describe(method.getName(), arguments);
        Class<?>[] declared = method.getExceptionTypes();
        if (ENDS.contains(method.getName()) && declared.length == 0) {
            guard.end(name, () -> call(method, arguments));
            return null;
        }
        try {
            // What it gives is looked at on guard too: its names and elements are its code.
            return guard.call(name, declared, () -> guarded(method, name, call(method, arguments)));
        } catch (IOException e) {
            for (Class<?> type : declared) if (type.isInstance(e)) throw e;
            throw new UncheckedIOException(e);
        }
    }

    private Object call(Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, own(method, arguments));
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** A host is given its own blocks back. */
    private Object[] own(Method method, Object[] arguments) {
        if (!(target instanceof DirtyLog) || !method.getName().equals("harvest")) return arguments;
        Object[] own = arguments.clone();
        if (own[0] instanceof GuardedBlock block) own[0] = block.target();
        return own;
    }

    private Object object(Object proxy, Method method, Object[] arguments) {
        return switch (method.getName()) {
            case "equals" -> proxy == arguments[0];
            case "hashCode" -> System.identityHashCode(proxy);
            default -> guard.who();
        };
    }

    private Object guarded(Method method, String name, Object result) throws IOException {
        if (result == null) {
            Class<?> type = method.getReturnType();
            if (type == void.class || type.isArray()) return null;
            throw guard.fault("gave nothing (null) from %s", name);
        }
        return switch (result) {
            case Optional<?> one -> one.map(this::guarded);
            case List<?> many -> many.stream().map(one -> guarded(name, one)).toList();
            case Iterable<?> many when method.getReturnType() == Iterable.class ->
                    of(Iterable.class, many, guard);
            default -> guarded(result);
        };
    }

    private Object guarded(String name, Object element) {
        if (element == null)
            throw new UncheckedIOException(guard.fault("gave a null among what %s gives", name));
        return guarded(element);
    }

    private Object guarded(Object result) {
        if (result instanceof RamBlock block) {
            return of(RamBlock.class, block, guard.part("RAM block '" + block.id() + "'", block));
        }
        if (result instanceof Channel || result instanceof PositionedFile) {
            return of(null, result, guard);
        }
        for (Class<?> type : TYPES) {
            if (type.isInstance(result)) return of(type, result, guard.part(name(result), result));
        }
        return result;
    }

    private static String name(Object part) {
        return switch (part) {
            case DirtyLog log -> "the dirty log";
            case DeviceState device -> "device '" + device.id() + "'";
            case CpuThrottle throttle -> "the CPU throttle";
            case SectionStore store -> "the section store";
            case RamTarget target -> "the RAM target";
            default -> "the machine's " + part.getClass().getSimpleName();
        };
    }
}
