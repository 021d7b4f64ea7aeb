package org.vmferry.it.faults.thousand;

import org.vmferry.engine.MigrationListener;
import org.vmferry.engine.discovery.Plugin;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.option.Provider;
import org.vmferry.spi.ram.DirtyLog;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * What one side's host and plug-ins give to the engine, seen through: an ear hears of every call,
 * before and after, and may throw in its place. Any thread.
 */
final class Tap {
    /** Hears of the calls. What {@code before} throws is thrown in the call's place. */
    interface Ear {
        void before(Call call);

        /** Not if the call itself threw. */
        void after(Call call);
    }

    /**
     * A call.
     *
     * @param name such as {@code Machine.enter postmigrate}
     * @param number of its object among those of its kind at this side, from 0: channel 0 is the
     *     main one
     * @param bytes that the buffers among its arguments hold, before the call or after it
     */
    record Call(String name, int number, int bytes) {}

    private final Ear ear;
    private final Map<Object, Object> faces = Collections.synchronizedMap(new IdentityHashMap<>());
    private final Map<Class<?>, AtomicInteger> counts =
            Collections.synchronizedMap(new IdentityHashMap<>());

    Tap(Ear ear) {
        this.ear = ear;
    }

    /** A machine, seen through. */
    Machine machine(Machine real) {
        return (Machine) face(real, List.of(Machine.class));
    }

    /** A listener, seen through. */
    MigrationListener listener(MigrationListener real) {
        return (MigrationListener) face(real, List.of(MigrationListener.class));
    }

    /** These plug-ins and more, seen through. */
    Plugins plugins(Plugins real, Provider... more) {
        return Plugins.of(
                Stream.concat(real.all().stream().map(Plugin::provider), Stream.of(more))
                        .map(provider -> (Provider) face(provider, Seams.of(provider)))
                        .toList());
    }

    private Object face(Object real, List<Class<?>> seams) {
        return faces.computeIfAbsent(
                real,
                _ -> {
                    int number =
                            counts.computeIfAbsent(seams.getFirst(), _ -> new AtomicInteger())
                                    .getAndIncrement();
                    return Proxy.newProxyInstance(
                            Tap.class.getClassLoader(),
                            seams.toArray(Class<?>[]::new),
                            new Face(real, seams, number));
                });
    }

    private Object faceOf(Object value) {
        return switch (value) {
            case null -> null;
            case Optional<?> optional -> optional.map(this::faceOf);
            case List<?> list -> list.stream().map(this::faceOf).toList();
            default -> {
                if (Proxy.isProxyClass(value.getClass())) yield value;
                List<Class<?>> seams = Seams.of(value);
                yield seams.isEmpty() ? value : face(value, seams);
            }
        };
    }

    private final class Face implements InvocationHandler {
        private final Object real;
        private final List<Class<?>> seams;
        private final int number;

        Face(Object real, List<Class<?>> seams, int number) {
            this.real = real;
            this.seams = seams;
            this.number = number;
        }

        @Override
        public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
            if (method.getDeclaringClass() == Object.class) {
                return switch (method.getName()) {
                    case "equals" -> proxy == arguments[0];
                    case "hashCode" -> System.identityHashCode(proxy);
                    default -> real.toString();
                };
            }
            Call call = new Call(name(method, arguments), number, bytes(arguments));
            ear.before(call);
            Object[] own = real instanceof DirtyLog ? hosts(arguments) : arguments;
            Object result;
            try {
                result = method.invoke(real, own);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
            ear.after(new Call(call.name(), number, bytes(arguments)));
            return faceOf(result);
        }

        private String name(Method method, Object[] arguments) {
            Class<?> seam =
                    seams.stream()
                            .filter(each -> method.getDeclaringClass().isAssignableFrom(each))
                            .findFirst()
                            .orElseThrow();
            String name = Seams.name(seam, method);
            if (real instanceof Machine && method.getName().equals("enter")) {
                return name + " " + arguments[0];
            }
            if (real instanceof MigrationNotifier && arguments != null) {
                return name + " " + arguments[0].getClass().getSimpleName();
            }
            return name;
        }
    }

    /** A host's own dirty log wants the host's own block. */
    private static Object[] hosts(Object[] arguments) {
        if (arguments == null) return null;
        return Arrays.stream(arguments)
                .map(
                        argument ->
                                argument != null && Proxy.isProxyClass(argument.getClass())
                                        ? ((Face) Proxy.getInvocationHandler(argument)).real
                                        : argument)
                .toArray();
    }

    private static int bytes(Object[] arguments) {
        if (arguments == null) return 0;
        int bytes = 0;
        for (Object argument : arguments) {
            if (argument instanceof ByteBuffer buffer) bytes += buffer.remaining();
            if (argument instanceof ByteBuffer[] buffers) {
                for (ByteBuffer buffer : buffers) bytes += buffer == null ? 0 : buffer.remaining();
            }
        }
        return bytes;
    }
}
