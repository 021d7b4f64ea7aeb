package org.vmferry.testkit.parts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;
import static org.junit.platform.engine.TestExecutionResult.Status.ABORTED;
import static org.junit.platform.engine.TestExecutionResult.Status.SUCCESSFUL;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestTag;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Runs a suite against its broken twins: exactly the tests of the broken rules fail. The build runs
 * of each twin the tests of these rules only; {@code -Pstress} all of its suite's.
 */
final class Twins {
    private static final boolean WHOLE = Boolean.getBoolean("vmferry.twins.whole");

    private Twins() {}

    /**
     * A test for each twin, and one that each rule has a twin.
     *
     * @param holder its member classes marked with {@link Breaks} are the twins
     * @param suite whose rules they break
     * @param elsewhere beginnings of the rules whose twins another suite has
     */
    static Stream<DynamicTest> of(Class<?> holder, Class<?> suite, String... elsewhere) {
        return of(List.of(holder), suite, elsewhere);
    }

    /** The same with twins in several classes. */
    static Stream<DynamicTest> of(List<Class<?>> holders, Class<?> suite, String... elsewhere) {
        return of(12, holders, suite, elsewhere); // most of a hanging twin's time is spent waiting
    }

    /** The same with so many twins at a time: for suites that look at the process's threads. */
    static Stream<DynamicTest> of(
            int atOnce, List<Class<?>> holders, Class<?> suite, String... elsewhere) {
        Set<String> broken = new TreeSet<>();
        for (Class<?> twin : marked(holders, Breaks.class))
            broken.addAll(List.of(twin.getAnnotation(Breaks.class).value()));
        List<DynamicTest> tests =
                new ArrayList<>(
                        each(atOnce, holders, Breaks.class, Twins::rules, Twins::caught).toList());
        tests.add(
                dynamicTest(
                        "every rule has a twin",
                        () -> {
                            Set<String> all = tags(suite);
                            for (String other : elsewhere) {
                                all.removeIf(rule -> rule.startsWith(other));
                                broken.removeIf(rule -> rule.startsWith(other));
                            }
                            assertThat(all).isNotEmpty();
                            assertThat(broken).isEqualTo(all);
                        }));
        return tests.stream();
    }

    /** A test for each class that is marked so: what its tests of some rules find is looked at. */
    static Stream<DynamicTest> each(
            int atOnce,
            List<Class<?>> holders,
            Class<? extends Annotation> mark,
            Function<Class<?>, List<String>> rules,
            BiConsumer<Class<?>, Map<String, Throwable>> look) {
        Semaphore turns = new Semaphore(atOnce);
        List<DynamicTest> tests = new ArrayList<>();
        for (Class<?> twin : marked(holders, mark)) {
            FutureTask<Map<String, Throwable>> run =
                    begin(turns, () -> run(twin, rules.apply(twin)).failures());
            tests.add(dynamicTest(twin.getSimpleName(), () -> look.accept(twin, run.get())));
        }
        return tests.stream();
    }

    private static List<Class<?>> marked(List<Class<?>> holders, Class<? extends Annotation> mark) {
        return holders.stream()
                .flatMap(holder -> Stream.<Class<?>>of(holder.getDeclaredClasses()))
                .filter(twin -> twin.isAnnotationPresent(mark))
                .toList();
    }

    private static <T> FutureTask<T> begin(Semaphore turns, Callable<T> call) {
        FutureTask<T> task =
                new FutureTask<>(
                        () -> {
                            turns.acquire();
                            try {
                                return call.call();
                            } finally {
                                turns.release();
                            }
                        });
        Thread thread = new Thread(task, "twin");
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    /** Those whose tests are run; none for all. */
    private static List<String> rules(Class<?> twin) {
        return WHOLE ? List.of() : List.of(twin.getAnnotation(Breaks.class).value());
    }

    private static void caught(Class<?> twin, Map<String, Throwable> failures) {
        Set<String> rules = new TreeSet<>(List.of(twin.getAnnotation(Breaks.class).value()));
        AssertionError others = new AssertionError(twin.getSimpleName() + ": " + failures);
        Set.copyOf(failures.values()).forEach(others::addSuppressed);
        try {
            Set<String> failed = new TreeSet<>(failures.keySet());
            failed.removeAll(List.of(twin.getAnnotation(Breaks.class).maybe()));
            assertThat(failed).isEqualTo(rules);
        } catch (AssertionError e) {
            e.addSuppressed(others);
            throw e;
        }
        if (twin.isAnnotationPresent(Says.class)) said(twin, failures);
        // A rule is caught by what the suite looks for: with its name, and a word of where to look.
        failures.forEach(
                (rule, failure) ->
                        assertThat(failure)
                                .as(rule)
                                .isInstanceOf(AssertionError.class)
                                .hasMessageMatching(
                                        "(?s)([A-Z-0-9, ]+, )?"
                                                + rule
                                                + "(, [A-Z-0-9, ]+)?: .*\\w.*"));
    }

    /** What its author is told of a twin is what {@link Says} says. */
    static void said(Class<?> twin, Map<String, Throwable> failures) {
        for (String start : twin.getAnnotation(Says.class).value())
            assertThat(failures.values())
                    .as(twin.getSimpleName())
                    .map(Throwable::getMessage)
                    .anyMatch(message -> begins(message, start));
    }

    private static boolean begins(String message, String start) {
        String pattern =
                Stream.of(start.split("\\*")).map(Pattern::quote).collect(Collectors.joining(".*"));
        return Pattern.compile(pattern).matcher(message).lookingAt();
    }

    /** The rules whose tests fail, and how. */
    static Map<String, Throwable> failures(Class<?> twin) {
        return run(twin).failures();
    }

    /**
     * What a suite has come to.
     *
     * @param failures by rule, or by the name of what has none
     * @param summaries of suites
     */
    record Ran(Map<String, Throwable> failures, List<String> summaries) {}

    static Ran run(Class<?> twin) {
        return run(twin, List.of());
    }

    /** Of a twin the tests of these rules; all if there are none. */
    private static Ran run(Class<?> twin, List<String> rules) {
        Map<String, Throwable> failures = new ConcurrentHashMap<>();
        List<String> summaries = new ArrayList<>();
        var request = LauncherDiscoveryRequestBuilder.request().selectors(selectClass(twin));
        if (!rules.isEmpty()) request.filters(TagFilter.includeTags(rules));
        LauncherConfig config =
                LauncherConfig.builder()
                        .enableTestExecutionListenerAutoRegistration(false)
                        .enableLauncherSessionListenerAutoRegistration(false)
                        .build();
        List<String> ran = new ArrayList<>();
        LauncherFactory.create(config)
                .execute(
                        request.build(),
                        new TestExecutionListener() {
                            @Override
                            public void reportingEntryPublished(
                                    TestIdentifier test, ReportEntry entry) {
                                summaries.add(entry.getKeyValuePairs().get("conformance"));
                            }

                            @Override
                            public void executionFinished(
                                    TestIdentifier test, TestExecutionResult result) {
                                if (test.isTest()) ran.add(test.getDisplayName());
                                if (result.getStatus() == SUCCESSFUL) return;
                                Throwable why = result.getThrowable().orElseThrow();
                                // Left out for a reason, as in "features(): has no RETURN_PATH".
                                if (result.getStatus() == ABORTED
                                        && why.getMessage().matches("\\w+\\(.*\\).+")) return;
                                if (test.getTags().isEmpty())
                                    failures.put(test.getDisplayName(), why);
                                for (TestTag tag : test.getTags()) failures.put(tag.getName(), why);
                            }
                        });
        assertThat(ran).as("tests of " + twin).isNotEmpty();
        return new Ran(new TreeMap<>(failures), summaries);
    }

    private static Set<String> tags(Class<?> suite) {
        Set<String> tags = new TreeSet<>();
        for (Class<?> type = suite; type != Object.class; type = type.getSuperclass()) {
            for (Method method : type.getDeclaredMethods()) {
                if (!method.isAnnotationPresent(Test.class)) continue;
                Tag[] cited = method.getAnnotationsByType(Tag.class);
                assertThat(cited).as(method + " cites a rule").isNotEmpty();
                for (Tag tag : cited) tags.add(tag.value());
            }
        }
        return tags;
    }
}
