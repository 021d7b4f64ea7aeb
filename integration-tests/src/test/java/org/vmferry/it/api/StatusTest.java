package org.vmferry.it.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

import org.junit.jupiter.api.Test;
import org.vmferry.spi.Status;

import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What others may compile against says how far it may be relied on, and keeps to it. */
class StatusTest {
    /** Whose packages others compile against, as each module says. */
    private static final List<String> MODULES =
            List.of("spi", "engine", "testkit", "testkit/machine");

    private static final JavaClasses ALL =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .withImportOption(place -> !place.contains("/org/vmferry/it/"))
                    .importPackages("org.vmferry");

    private static Set<String> packages() throws Exception {
        Set<String> packages = new TreeSet<>();
        for (String module : MODULES) {
            Path root = Path.of(System.getProperty("vmferry.root"), module, "target/classes");
            try (var in = Files.newInputStream(root.resolve("module-info.class"))) {
                ModuleDescriptor.read(in).exports().stream()
                        .filter(exports -> !exports.isQualified())
                        .forEach(exports -> packages.add(exports.source()));
            }
        }
        return packages;
    }

    /** All that a host or a plug-in can name. */
    private static List<JavaClass> types() throws Exception {
        Set<String> packages = packages();
        assertThat(packages).contains("org.vmferry.spi.ram", "org.vmferry.testkit.conformance");
        List<JavaClass> types =
                ALL.stream()
                        .filter(type -> packages.contains(type.getPackageName()))
                        .filter(StatusTest::canBeNamed)
                        .toList();
        assertThat(types.size()).isGreaterThan(150);
        return types;
    }

    private static boolean canBeNamed(JavaClass type) {
        return !type.getSimpleName().equals("package-info")
                && !type.isAnonymousClass()
                && isOffered(type.getModifiers())
                && type.getEnclosingClass().map(StatusTest::canBeNamed).orElse(true);
    }

    private static boolean isOffered(Set<JavaModifier> modifiers) {
        return modifiers.contains(JavaModifier.PUBLIC)
                || modifiers.contains(JavaModifier.PROTECTED);
    }

    private static Status.Level level(JavaClass type) {
        return type.tryGetAnnotationOfType(Status.class).map(Status::value).orElse(null);
    }

    @Test
    void eachTypeHasOne() throws Exception {
        assertThat(types())
                .filteredOn(type -> level(type) == null)
                .extracting(JavaClass::getName)
                .isEmpty();
    }

    /** A promise about a method is none if it takes or gives what may change. */
    @Test
    void whatIsStableSpeaksOfWhatIsStable() throws Exception {
        Set<String> hollow = new TreeSet<>();
        for (JavaClass type : types()) {
            if (level(type) != Status.Level.STABLE) continue;
            for (JavaClass mentioned : mentioned(type)) {
                if (mentioned.getPackageName().startsWith("org.vmferry")
                        && level(mentioned) != Status.Level.STABLE)
                    hollow.add(type.getName() + " speaks of " + mentioned.getName());
            }
        }
        assertThat(hollow).isEmpty();
    }

    private static Set<JavaClass> mentioned(JavaClass type) {
        List<JavaType> types = new ArrayList<>();
        type.getSuperclass().ifPresent(types::add);
        types.addAll(type.getInterfaces());
        for (JavaMember member : type.getMembers()) {
            if (!isOffered(member.getModifiers()) || differs(member)) continue;
            if (member instanceof JavaCodeUnit code) {
                types.addAll(code.getParameterTypes());
                types.add(code.getReturnType());
            } else if (member instanceof JavaField field) {
                types.add(field.getType());
            }
        }
        return types.stream()
                .flatMap(each -> each.getAllInvolvedRawTypes().stream())
                .map(StatusTest::element)
                .collect(Collectors.toSet());
    }

    private static boolean differs(JavaMember member) {
        return member.tryGetAnnotationOfType(Status.class)
                .map(own -> own.value() != Status.Level.STABLE)
                .orElse(false);
    }

    private static JavaClass element(JavaClass type) {
        return type.isArray() ? element(type.getComponentType()) : type;
    }
}
