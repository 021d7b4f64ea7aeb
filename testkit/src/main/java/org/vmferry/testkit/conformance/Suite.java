package org.vmferry.testkit.conformance;

import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.TestAbortedException;
import org.vmferry.spi.MigrationException;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What holds for every suite: each test and its clean-up end, whatever the author's code does, and
 * a failure names its rule.
 */
final class Suite implements BeforeAllCallback, InvocationInterceptor {
    private static final Namespace OURS = Namespace.create(Suite.class);
    private static final Pattern RULE = Pattern.compile("[A-Z]{3}-\\d++");
    private static final String HUNG = "hung";

    /** A test is many calls, and waits for some of them as long as for one. */
    private static final int CALLS = 10;

    @Override
    public void beforeAll(ExtensionContext context) {
        context.getStore(OURS).put(HUNG, ConcurrentHashMap.newKeySet());
    }

    @SuppressWarnings("unchecked")
    private static Set<String> hung(ExtensionContext context) {
        return (Set<String>) context.getStore(OURS).get(HUNG);
    }

    @Override
    public void interceptTestMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> test,
            ExtensionContext context)
            throws Throwable {
        boolean suites =
                test.getExecutable().getDeclaringClass().getPackage() == Suite.class.getPackage();
        if (suites) bounded(invocation, context);
        else invocation.proceed(); // the author's own
    }

    @Override
    public void interceptBeforeEachMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> method,
            ExtensionContext context)
            throws Throwable {
        bounded(invocation, context);
    }

    @Override
    public void interceptAfterEachMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> method,
            ExtensionContext context)
            throws Throwable {
        bounded(invocation, context);
    }

    private static void bounded(Invocation<Void> invocation, ExtensionContext context)
            throws Throwable {
        if (!(context.getRequiredTestInstance() instanceof Conformance suite)) {
            invocation.proceed(); // a class within a suite's
            return;
        }
        suite.hung = hung(context);
        suite.before = Thread.getAllStackTraces().keySet();
        Duration patience = suite.patience();
        Call<Void> call = Call.begin(() -> proceed(invocation));
        try {
            call.result(patience, patience.multipliedBy(CALLS), suite.hung);
        } catch (Call.Hangs e) {
            String what =
                    e.callee()
                            .map(
                                    callee ->
                                            "%s() hangs: that of %s does not return"
                                                    .formatted(callee.method(), callee.type()))
                            .orElse("the test hangs, or takes too long");
            throw failure(what, e, context);
        } catch (TestAbortedException e) {
            throw e;
        } catch (AssertionError e) {
            throw failure(e.getMessage(), e, context);
        } catch (Throwable e) {
            // JUnit ends with an exhausted JVM; one call too deep is a failure like any other.
            if (e instanceof VirtualMachineError && !(e instanceof StackOverflowError)) throw e;
            throw failure(thrown(e), e, context);
        }
    }

    private static Void proceed(Invocation<Void> invocation) throws Exception {
        try {
            return invocation.proceed();
        } catch (Exception | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static String thrown(Throwable e) {
        if (e instanceof MigrationException sentence) return sentence.getMessage();
        return Callee.ofSuite(e.getStackTrace())
                        .map(callee -> callee.method() + "(): threw ")
                        .orElse("")
                + e;
    }

    private static AssertionFailedError failure(
            String message, Throwable cause, ExtensionContext context) {
        String rules =
                context.getTags().stream()
                        .filter(tag -> RULE.matcher(tag).matches())
                        .sorted()
                        .collect(Collectors.joining(", "));
        String said = String.valueOf(message).replace(" ==> expected: <true> but was: <false>", "");
        String named = rules.isEmpty() ? said : rules + ": " + said;
        return cause instanceof AssertionFailedError values && values.isExpectedDefined()
                ? new AssertionFailedError(named, values.getExpected(), values.getActual(), cause)
                : new AssertionFailedError(named, cause);
    }
}
