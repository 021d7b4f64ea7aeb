package org.vmferry.testkit.conformance;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.jupiter.api.extension.TestWatcher;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.TestAbortedException;
import org.slf4j.Logger;
import org.vmferry.spi.Log;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What holds for every suite: each test and its clean-up end, whatever the author's code does; a
 * failure names its rule; what was left out is counted, and a suite that ran nothing is red.
 */
final class Suite
        implements BeforeAllCallback, AfterAllCallback, InvocationInterceptor, TestWatcher {
    private static final Logger LOG = Log.of(Suite.class);
    private static final Namespace OURS = Namespace.create(Suite.class);
    private static final Pattern RULE = Pattern.compile("[A-Z]{3}-\\d++");

    /** A test is many calls, and waits for some of them as long as for one. */
    private static final int CALLS = 10;

    /**
     * Of one suite.
     *
     * @param hung methods that have hung
     * @param leftOut how many rules for each reason
     */
    private record Count(Set<String> hung, AtomicInteger ran, Map<String, Integer> leftOut) {}

    @Override
    public void beforeAll(ExtensionContext context) {
        context.getStore(OURS)
                .put(
                        Count.class,
                        new Count(
                                ConcurrentHashMap.newKeySet(),
                                new AtomicInteger(),
                                new ConcurrentSkipListMap<>()));
    }

    private static Count count(ExtensionContext context) {
        return context.getStore(OURS).get(Count.class, Count.class);
    }

    private static List<String> rules(ExtensionContext context) {
        return context.getTags().stream()
                .filter(tag -> RULE.matcher(tag).matches())
                .sorted()
                .toList();
    }

    private static boolean isSuites(Method test) {
        return test.getDeclaringClass().getPackage() == Suite.class.getPackage();
    }

    private static void ran(ExtensionContext context) {
        if (isSuites(context.getRequiredTestMethod()))
            count(context).ran().addAndGet(rules(context).size());
    }

    private static void leftOut(ExtensionContext context, String reason) {
        if (isSuites(context.getRequiredTestMethod()))
            count(context).leftOut().merge(reason, rules(context).size(), Integer::sum);
    }

    @Override
    public void testSuccessful(ExtensionContext context) {
        ran(context);
    }

    @Override
    public void testFailed(ExtensionContext context, Throwable cause) {
        ran(context);
    }

    @Override
    public void testAborted(ExtensionContext context, Throwable cause) {
        leftOut(context, String.valueOf(cause.getMessage()));
    }

    @Override
    public void testDisabled(ExtensionContext context, Optional<String> reason) {
        leftOut(context, reason.orElse("disabled"));
    }

    @Override
    public void afterAll(ExtensionContext context) {
        Count count = count(context);
        int ran = count.ran().get();
        int left = count.leftOut().values().stream().mapToInt(Integer::intValue).sum();
        if (ran + left == 0) return; // none of the suite's was asked for
        String reasons =
                count.leftOut().entrySet().stream()
                        .map(entry -> "%s (%d)".formatted(entry.getKey(), entry.getValue()))
                        .collect(Collectors.joining(", "));
        String summary =
                "ran %d rules, left out %d%s".formatted(ran, left, left == 0 ? "" : ": " + reasons);
        context.publishReportEntry("conformance", summary);
        LOG.info("{}: {}", context.getDisplayName(), summary);
        if (ran == 0) {
            throw new AssertionFailedError(
                    "This suite has tried nothing: it %s".formatted(summary));
        }
    }

    @Override
    public void interceptTestMethod(
            Invocation<Void> invocation,
            ReflectiveInvocationContext<Method> test,
            ExtensionContext context)
            throws Throwable {
        if (isSuites(test.getExecutable())) bounded(invocation, context);
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
        suite.hung = count(context).hung();
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
        return Callee.ofSuite(e.getStackTrace())
                        .map(callee -> callee.method() + "(): threw ")
                        .orElse("")
                + Conformance.words(e);
    }

    private static AssertionFailedError failure(
            String message, Throwable cause, ExtensionContext context) {
        String rules = String.join(", ", rules(context));
        String said = String.valueOf(message).replace(" ==> expected: <true> but was: <false>", "");
        String named = rules.isEmpty() ? said : rules + ": " + said;
        return cause instanceof AssertionFailedError values && values.isExpectedDefined()
                ? new AssertionFailedError(named, values.getExpected(), values.getActual(), cause)
                : new AssertionFailedError(named, cause);
    }
}
