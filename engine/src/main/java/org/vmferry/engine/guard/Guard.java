package org.vmferry.engine.guard;

import org.slf4j.Logger;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.CodeSource;
import java.util.Objects;

/**
 * The one way into code that is not the engine's. Whatever it throws has a type, and says whose
 * fault it is; an interrupt that it leaves behind is dropped, so that the migration's next wait is
 * not its victim.
 *
 * <p>What passes as it is: exceptions that the method declares, {@link MigrationException}s, and
 * what the JVM itself throws in need (a {@link VirtualMachineError}, but for a stack overflow).
 */
public final class Guard {
    private static final Logger LOG = Log.of(Guard.class);

    private static final String BUILT_IN = "org.vmferry.engine.";

    private final Blame blame;
    private final String who;

    private Guard(Blame blame, String who) {
        this.blame = blame;
        this.who = who;
    }

    /** A host's machine, and all that it gives away. */
    public static Migratable over(Migratable machine) {
        return new Guard(Blame.HOST, "the machine (" + machine.getClass().getName() + ")")
                .over(Migratable.class, machine);
    }

    /** A host's object of another type. */
    public static <T> T host(Class<T> type, T target, String what) {
        return new Guard(Blame.HOST, what + " (" + target.getClass().getName() + ")")
                .over(type, target);
    }

    /** A plug-in's provider, and all that it gives away; the engine's own is left as it is. */
    public static <T> T plugin(Class<T> type, Object provider, String who) {
        T target = type.cast(provider);
        if (isOurs(target.getClass())) return target;
        return new Guard(Blame.PLUGIN, who).over(type, target);
    }

    private static boolean isOurs(Class<?> type) {
        return type.getName().startsWith(BUILT_IN)
                && Objects.equals(source(type), source(Guard.class));
    }

    private static CodeSource source(Class<?> type) {
        return type.getProtectionDomain().getCodeSource();
    }

    private <T> T over(Class<T> type, T target) {
        return type.cast(Guarded.of(type, target, this));
    }

    /** A guard over a part, which is to be told apart. */
    Guard part(String name, Object part) {
        if (blame == Blame.PLUGIN) return this;
        return new Guard(blame, name + " (" + part.getClass().getName() + ")");
    }

    /** Who is guarded, for messages. */
    String who() {
        return who;
    }

    /** A call. */
    interface Call<T> {
        T call() throws Throwable;
    }

    /**
     * Calls.
     *
     * @param method its name, with what tells this call from others
     * @param declared what passes as it is
     */
    <T> T call(String method, Class<?>[] declared, Call<T> call) throws Throwable {
        boolean interrupted = Thread.currentThread().isInterrupted();
        try {
            return call.call();
        } catch (Throwable t) {
            for (Class<?> type : declared) if (type.isInstance(t)) throw t;
            throw typed(method, t);
        } finally {
            if (!interrupted) Thread.interrupted();
        }
    }

    /** Calls a method that may throw an {@link IOException}. */
    <T> T call(String method, Call<T> call) throws IOException {
        boolean interrupted = Thread.currentThread().isInterrupted();
        try {
            return call.call();
        } catch (IOException e) {
            throw e;
        } catch (Throwable t) {
            throw typed(method, t);
        } finally {
            if (!interrupted) Thread.interrupted();
        }
    }

    /** A call that gives nothing. */
    interface Action {
        void run() throws Throwable;

        default Call<Void> call() {
            return () -> {
                run();
                return null;
            };
        }
    }

    /** Calls a method that gives nothing, and may throw an {@link IOException}. */
    void run(String method, Action action) throws IOException {
        call(method, action.call());
    }

    /** Calls a method that declares no exception. */
    <T> T plain(String method, Call<T> call) {
        try {
            return call(method, call);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Calls a method that ends something: what it throws is logged, for the rest is to end too. */
    void end(String method, Action action) {
        try {
            run(method, action);
        } catch (IOException e) {
            LOG.warn("{}; it goes on without", e.getMessage());
            LOG.debug("{}", who, e);
        }
    }

    /** As one with a type; what the JVM throws in need is thrown on. */
    private MigrationException typed(String method, Throwable t) {
        if (t instanceof MigrationException e) return e;
        if (t instanceof UncheckedIOException e && e.getCause() instanceof MigrationException cause)
            return cause; // it had passed another guard
        if (t instanceof VirtualMachineError e && !(t instanceof StackOverflowError)) throw e;
        return new MigrationException(
                blame,
                "%s threw %s in %s%s"
                        .formatted(who, t.getClass().getSimpleName(), method, message(t)),
                t);
    }

    private static String message(Throwable t) {
        try {
            return t.getMessage() == null ? "" : ": " + t.getMessage();
        } catch (RuntimeException e) {
            return ""; // that is its code too
        }
    }

    /** A fault that shows in what it did. */
    MigrationException fault(String format, Object... arguments) {
        return new MigrationException(blame, who + " " + format.formatted(arguments));
    }

    /** What tells a call from others of the same method. */
    static String describe(String method, Object[] arguments) {
        if (arguments == null || arguments.length == 0) return method;
        return switch (arguments[0]) {
            case RunState state -> method + "('" + state.wireName() + "')";
            case BlockHeader block -> method + "(RAM block '" + block.id() + "')";
            case RamBlock block -> method + "(RAM block '" + block.id() + "')";
            case null, default -> method;
        };
    }
}
