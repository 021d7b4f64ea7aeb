package org.vmferry.it.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import com.tngtech.archunit.core.domain.JavaClass;

import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.catalog.OptionInfo;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.notifier.MigrationVeto;

import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What the annotations say of null is what the code does: where it may be given, it is taken, and
 * everywhere else it is refused at once, and by name.
 */
class NullTest {
    /** Parameters that are neither, and why. */
    private static final Set<String> OTHERS =
            Set.of(
                    // Called after each store: while nobody logs it looks at nothing.
                    "AtomicDirtyLog.mark(block)",
                    // As Object's: of what was never added nothing is to be removed.
                    "OpenChannels.remove(one)",
                    // As String.format has it.
                    "MigrationException.peer(arguments)",
                    "MigrationException.user(arguments)",
                    "MigrationException.host(arguments)");

    @TempDir static Path folder;
    private static NullSamples samples;

    private record Place(Executable code, Parameter parameter) {
        boolean mayBeNull() {
            return parameter.getAnnotatedType().isAnnotationPresent(Nullable.class);
        }

        @Override
        public String toString() {
            String type = code.getDeclaringClass().getSimpleName();
            String name = code instanceof Method ? type + "." + code.getName() : "new " + type;
            return name + "(" + parameter.getName() + ")";
        }
    }

    @BeforeAll
    static void begin() throws Exception {
        samples = new NullSamples(folder);
    }

    @AfterAll
    static void end() throws Exception {
        samples.close();
    }

    @Test
    void eachPackageIsMarked() throws Exception {
        assertThat(PublicTypes.packages())
                .filteredOn(NullTest::isMarked)
                .hasSizeGreaterThan(15)
                .allSatisfy(
                        name ->
                                assertThat(
                                                Class.forName(name + ".package-info")
                                                        .isAnnotationPresent(NullMarked.class))
                                        .as(name)
                                        .isTrue());
    }

    @Test
    void whereItMayNotBeItIsRefusedByName() throws Exception {
        List<String> wrong = new ArrayList<>();
        List<Place> places = places().filter(place -> !place.mayBeNull()).toList();
        for (Place place : places) {
            String name = place.parameter.getName();
            Throwable thrown = withNull(place);
            boolean named =
                    thrown instanceof NullPointerException
                            && String.valueOf(thrown.getMessage())
                                    .matches(".*\\b" + name + "\\b.*");
            if (named == OTHERS.contains(place.toString())) wrong.add(place + ": " + thrown);
        }
        assertThat(wrong).isEmpty();
        assertThat(places.size()).isGreaterThan(150);
        assertThat(places).extracting(Place::toString).containsAll(OTHERS);
    }

    /** NullAway does not look at the methods that a record has by itself. */
    @Test
    void recordsGiveWhatTheirInterfacesSay() throws Exception {
        List<String> wrong = new ArrayList<>();
        int seen = 0;
        for (JavaClass each : PublicTypes.all()) {
            Class<?> type = each.reflect();
            if (!type.isRecord()) continue;
            for (RecordComponent part : type.getRecordComponents()) {
                boolean gives = part.getAnnotatedType().isAnnotationPresent(Nullable.class);
                for (Class<?> over : type.getInterfaces()) {
                    for (Method method : over.getMethods()) {
                        if (!method.getName().equals(part.getName())) continue;
                        seen++;
                        var said = method.getAnnotatedReturnType();
                        if (gives != said.isAnnotationPresent(Nullable.class))
                            wrong.add(type.getSimpleName() + "." + part.getName());
                    }
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(seen).isGreaterThan(5);
    }

    /** What stands in a collection is looked at, too, where it is copied. */
    @Test
    void noneIsAmongOthers() {
        assertThatNullPointerException()
                .isThrownBy(() -> Plugins.of(Collections.singleton(null)))
                .withMessage("one of the providers");
        assertThatNullPointerException()
                .isThrownBy(() -> new Settings(Map.of(), Collections.singletonMap("mode", null)))
                .withMessage("parameters: mode");
        assertThatNullPointerException()
                .isThrownBy(() -> new Settings(Collections.singletonMap(null, true), Map.of()))
                .withMessage("capabilities: a name");
    }

    /** An exception is thrown where something has failed already: it says so, and that alone. */
    @Test
    void aFailureWithoutWordsIsOne() {
        assertThat(new MigrationException(Blame.HOST, null)).hasMessage("no reason was given");
        assertThat(new MigrationVeto(null)).hasMessage(null);
    }

    @Test
    void whereItMayBeItIsTaken() throws Exception {
        List<String> wrong = new ArrayList<>();
        List<Place> places = places().filter(Place::mayBeNull).toList();
        for (Place place : places) {
            Throwable thrown = withNull(place);
            if (thrown != null) wrong.add(place + ": " + thrown);
        }
        assertThat(wrong).isEmpty();
        assertThat(places.size()).isGreaterThan(8);
    }

    /** The testkit's is read by test authors, and by no tool. */
    private static boolean isMarked(String name) {
        return !name.startsWith("org.vmferry.testkit.");
    }

    /** All that a host or a plug-in can call, with each object that it is to give. */
    private static Stream<Place> places() throws Exception {
        return PublicTypes.all().stream()
                .filter(type -> isMarked(type.getPackageName()))
                .filter(type -> PublicTypes.level(type) != Status.Level.INTERNAL)
                .map(JavaClass::reflect)
                .filter(type -> !isTold(type))
                .flatMap(NullTest::code)
                .flatMap(
                        code ->
                                Arrays.stream(code.getParameters())
                                        .filter(it -> !it.getType().isPrimitive())
                                        .map(parameter -> new Place(code, parameter)));
    }

    /** What the engine alone makes, and a host is told. */
    private static boolean isTold(Class<?> type) {
        return type.getPackageName().equals("org.vmferry.engine.report")
                || type == OptionInfo.class;
    }

    private static Stream<Executable> code(Class<?> type) {
        Stream<Constructor<?>> made =
                Modifier.isAbstract(type.getModifiers())
                        ? Stream.empty()
                        : Arrays.stream(type.getConstructors());
        return Stream.concat(
                made,
                Arrays.stream(type.getDeclaredMethods())
                        .filter(method -> Modifier.isPublic(method.getModifiers()))
                        .filter(method -> !method.isSynthetic() && !isJdks(method))
                        .filter(method -> isOwn(type, method)));
    }

    /** What an enum or a record has, and equals. */
    private static boolean isJdks(Method method) {
        return method.getName().equals("equals") || method.getName().equals("valueOf");
    }

    /** What it does itself: not an interface's, which the engine calls, nor what is handed on. */
    private static boolean isOwn(Class<?> type, Method method) {
        if (Modifier.isStatic(method.getModifiers())) return true;
        return !type.isInterface() && !type.getSimpleName().matches("Forwarding.*|JdkChannel");
    }

    /** What a call throws whose other arguments are in order. */
    private static @Nullable Throwable withNull(Place place) throws Exception {
        Parameter[] all = place.code.getParameters();
        Object[] arguments = new Object[all.length];
        for (int i = 0; i < all.length; i++) {
            if (!all[i].equals(place.parameter)) arguments[i] = samples.of(all[i]);
        }
        try {
            if (call(place.code, arguments) instanceof AutoCloseable made) made.close();
            return null;
        } catch (InvocationTargetException e) {
            return e.getCause();
        }
    }

    private static Object call(Executable code, Object... arguments) throws Exception {
        if (code instanceof Constructor<?> made) return made.newInstance(arguments);
        Method method = (Method) code;
        Object on =
                Modifier.isStatic(method.getModifiers())
                        ? null
                        : samples.of(method.getDeclaringClass());
        return method.invoke(on, arguments);
    }
}
