package org.vmferry.it.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import japicmp.cmp.JApiCmpArchive;
import japicmp.cmp.JarArchiveComparator;
import japicmp.cmp.JarArchiveComparatorOptions;
import japicmp.model.AccessModifier;
import japicmp.model.JApiClass;
import japicmp.model.JApiCompatibility;
import japicmp.model.JApiCompatibilityChangeType;
import japicmp.model.JApiConstructor;
import japicmp.model.JApiMethod;

import javassist.CtBehavior;
import javassist.bytecode.AnnotationsAttribute;
import javassist.bytecode.AttributeInfo;
import javassist.bytecode.annotation.Annotation;
import javassist.bytecode.annotation.EnumMemberValue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.Handed;
import org.vmferry.spi.Status;

import java.io.OutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.MethodModel;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * What was stable in an earlier version is so still: a host or a plug-in that was compiled against
 * it links, and compiles again. Each version's API is a file among the resources, made by
 * .ci/Baseline.java.
 */
class CompatibilityTest {
    /** Nobody who was there before has to do anything about these. */
    private static final Set<JApiCompatibilityChangeType> HARMLESS =
            EnumSet.of(
                    JApiCompatibilityChangeType.METHOD_NEW_DEFAULT,
                    JApiCompatibilityChangeType.METHOD_DEFAULT_ADDED_IN_IMPLEMENTED_INTERFACE,
                    JApiCompatibilityChangeType.METHOD_NEW_STATIC_ADDED_TO_INTERFACE,
                    JApiCompatibilityChangeType.METHOD_ADDED_TO_PUBLIC_CLASS,
                    JApiCompatibilityChangeType.ANNOTATION_ADDED,
                    JApiCompatibilityChangeType.ANNOTATION_MODIFIED);

    /** Whoever is handed one is not disturbed by these. */
    private static final Set<JApiCompatibilityChangeType> GROWTH =
            EnumSet.of(
                    JApiCompatibilityChangeType.METHOD_ADDED_TO_INTERFACE,
                    JApiCompatibilityChangeType.METHOD_ABSTRACT_ADDED_TO_CLASS,
                    JApiCompatibilityChangeType.METHOD_ABSTRACT_ADDED_IN_IMPLEMENTED_INTERFACE,
                    JApiCompatibilityChangeType.CONSTRUCTOR_REMOVED);

    private static final String STABLE = Status.Level.STABLE.name();

    @TempDir Path folder;

    @Test
    void whatWasStableIsSoStill() throws Exception {
        assertThat(broken(baseline("0.1"), now())).isEmpty();
    }

    /** That it would be seen: an earlier version that had more, or less, than it had. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "org/vmferry/spi/transport/Opener | open | METHOD_ADDED_TO_INTERFACE",
                "org/vmferry/spi/session/Session | permit |",
                "org/vmferry/spi/ram/RamBlock | isFresh |",
                "org/vmferry/engine/Engine | create |",
            })
    void whatIsNewIsSeen(String type, String method, String change) throws Exception {
        Path before =
                changed(
                        type,
                        (all, part) -> {
                            if (!(part instanceof MethodModel it
                                    && it.methodName().equalsString(method))) all.with(part);
                        });
        List<String> broken = broken(before, now());
        if (change == null) assertThat(broken).isEmpty();
        else assertThat(broken).singleElement(STRING).startsWith(change);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "org/vmferry/spi/ram/RamBlock",
                "org/vmferry/spi/session/Session",
                "org/vmferry/engine/Engine",
            })
    void whatIsGoneIsSeen(String type) throws Exception {
        Path before =
                changed(
                        type,
                        ClassTransform.endHandler(
                                all ->
                                        all.withMethod(
                                                "gone",
                                                MethodTypeDesc.of(ConstantDescs.CD_void),
                                                ClassFile.ACC_PUBLIC | ClassFile.ACC_ABSTRACT,
                                                it -> {})));
        assertThat(broken(before, now())).singleElement(STRING).startsWith("METHOD_REMOVED");
    }

    /** The baseline, with another form of one type. */
    private Path changed(String type, ClassTransform change) throws Exception {
        Path jar = folder.resolve("before.jar");
        Files.copy(baseline("0.1"), jar);
        try (FileSystem files = FileSystems.newFileSystem(jar)) {
            Path file = files.getPath(type + ".class");
            ClassFile form = ClassFile.of();
            Files.write(file, form.transformClass(form.parse(Files.readAllBytes(file)), change));
        }
        return jar;
    }

    private static Path baseline(String version) throws Exception {
        return Path.of(CompatibilityTest.class.getResource("/api/" + version + ".jar").toURI());
    }

    /** All main classes, as a jar. */
    private Path now() throws Exception {
        var classes = new TreeMap<String, byte[]>();
        for (String module : List.of("spi", "engine", "testkit", "testkit/machine")) {
            Path root = Path.of(System.getProperty("vmferry.root"), module, "target/classes");
            try (Stream<Path> files = Files.walk(root.resolve("org"))) {
                for (Path file : files.filter(Files::isRegularFile).toList())
                    classes.put(root.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        Path jar = folder.resolve("now.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                ZipOutputStream out = new ZipOutputStream(file)) {
            for (var each : classes.entrySet()) {
                out.putNextEntry(new ZipEntry(each.getKey()));
                out.write(each.getValue());
            }
        }
        return jar;
    }

    private static List<String> broken(Path before, Path now) {
        var options = new JarArchiveComparatorOptions();
        options.setAccessModifier(AccessModifier.PROTECTED);
        options.getIgnoreMissingClasses().setIgnoreAllMissingClasses(true);
        List<JApiClass> all =
                new JarArchiveComparator(options)
                        .compare(
                                new JApiCmpArchive(before.toFile(), "before"),
                                new JApiCmpArchive(now.toFile(), "now"));
        List<String> broken = new ArrayList<>();
        int compared = 0;
        for (JApiClass type : all) {
            if (type.getOldClass().isEmpty() || !isStable(type)) continue;
            compared++;
            boolean handed = in(type).anyMatch(each -> find(each, Handed.class).isPresent());
            note(broken, type, handed, type.getFullyQualifiedName());
            Stream.of(type.getMethods(), type.getConstructors(), type.getFields())
                    .flatMap(List::stream)
                    .filter(member -> !isStatedOtherwise(member))
                    .forEach(member -> note(broken, member, handed, name(type, member)));
        }
        assertThat(compared).isGreaterThan(80);
        return broken;
    }

    private static String name(JApiClass type, Object member) {
        return type.getFullyQualifiedName() + ": " + member;
    }

    private static void note(
            List<String> broken, JApiCompatibility what, boolean handed, String name) {
        what.getCompatibilityChanges().stream()
                .filter(change -> !change.isBinaryCompatible() || !change.isSourceCompatible())
                .filter(change -> !HARMLESS.contains(change.getType()))
                .filter(change -> !handed || !GROWTH.contains(change.getType()))
                .forEach(change -> broken.add(change.getType() + " " + name));
    }

    /** Before or now: what was stable can't be made otherwise to be changed. */
    private static boolean isStable(JApiClass type) {
        return in(type).anyMatch(each -> level(each).equals(STABLE));
    }

    private static Stream<AttributeInfo> in(JApiClass type) {
        return Stream.of(type.getOldClass(), type.getNewClass())
                .flatMap(Optional::stream)
                .map(each -> each.getClassFile2().getAttribute(AnnotationsAttribute.invisibleTag))
                .filter(Objects::nonNull);
    }

    /** A member of a stable type that says itself that it may change. */
    private static boolean isStatedOtherwise(Object member) {
        Optional<? extends CtBehavior> now =
                switch (member) {
                    case JApiMethod method -> method.getNewMethod();
                    case JApiConstructor constructor -> constructor.getNewConstructor();
                    default -> Optional.empty();
                };
        String level =
                now.map(it -> it.getMethodInfo2().getAttribute(AnnotationsAttribute.invisibleTag))
                        .map(CompatibilityTest::level)
                        .orElse("");
        return !level.isEmpty() && !level.equals(STABLE);
    }

    private static String level(AttributeInfo annotations) {
        return find(annotations, Status.class)
                .map(it -> ((EnumMemberValue) it.getMemberValue("value")).getValue())
                .orElse("");
    }

    private static Optional<Annotation> find(AttributeInfo annotations, Class<?> type) {
        return Optional.ofNullable((AnnotationsAttribute) annotations)
                .map(all -> all.getAnnotation(type.getName()));
    }
}
