package org.vmferry.testkit.conformance;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The author's method that a suite, or the engine for it, has called: where a thread is, or where
 * something was thrown.
 *
 * @param type its class
 * @param method its name
 * @param caller where it was called
 */
record Callee(String type, String method, StackTraceElement caller) {
    private static final String SUITE = "org.vmferry.testkit.conformance.";
    private static final String ENGINE = "org.vmferry.engine.";
    private static final String TRANSPORTS = ENGINE + "transport.";

    /** Between an author's code and these there may be others of these. */
    private static final List<String> OURS =
            List.of(SUITE, ENGINE, "org.vmferry.testkit.fault.", "org.vmferry.spi.");

    private static final List<String> NOBODYS = List.of("java.", "jdk.", "sun.", "org.junit.");

    private static boolean isOf(StackTraceElement frame, List<String> packages) {
        return packages.stream().anyMatch(frame.getClassName()::startsWith);
    }

    /** Of a stack, the innermost frame first; empty if it is in nobody's code but ours. */
    static Optional<Callee> of(StackTraceElement[] stack) {
        return called(stack, frame -> isOf(frame, OURS));
    }

    /** The same, of a thread of the suite; the author's may be one of the engine's transports. */
    static Optional<Callee> ofSuite(StackTraceElement[] stack) {
        return of(stack)
                .or(
                        () ->
                                called(stack, frame -> isOf(frame, List.of(SUITE)))
                                        .filter(found -> !found.isEngine()));
    }

    private boolean isEngine() {
        return type.startsWith(ENGINE) && !type.startsWith(TRANSPORTS);
    }

    private static Optional<Callee> called(
            StackTraceElement[] stack, Predicate<StackTraceElement> callers) {
        StackTraceElement called = null;
        for (StackTraceElement frame : stack) {
            if (callers.test(frame)) {
                if (called == null) return Optional.empty();
                return Optional.of(
                        new Callee(called.getClassName(), called.getMethodName(), frame));
            }
            if (!isOf(frame, NOBODYS)) called = frame;
        }
        return Optional.empty();
    }

    /** As in "close() of example.Link". */
    @Override
    public String toString() {
        return method + "() of " + type;
    }
}
