package org.vmferry.it.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

import org.vmferry.spi.Status;

import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** What others may compile against. */
final class PublicTypes {
    /** Whose packages others compile against, as each module says. */
    private static final List<String> MODULES =
            List.of("spi", "engine", "testkit", "testkit/machine");

    private static final JavaClasses ALL =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .withImportOption(place -> !place.contains("/org/vmferry/it/"))
                    .importPackages("org.vmferry");

    private PublicTypes() {}

    /** The packages that modules export to everybody. */
    static Set<String> packages() throws Exception {
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
    static List<JavaClass> all() throws Exception {
        Set<String> packages = packages();
        assertThat(packages).contains("org.vmferry.spi.ram", "org.vmferry.testkit.conformance");
        List<JavaClass> types =
                ALL.stream()
                        .filter(type -> packages.contains(type.getPackageName()))
                        .filter(PublicTypes::canBeNamed)
                        .toList();
        assertThat(types.size()).isGreaterThan(150);
        return types;
    }

    private static boolean canBeNamed(JavaClass type) {
        return !type.getSimpleName().equals("package-info")
                && !type.isAnonymousClass()
                && isOffered(type.getModifiers())
                && type.getEnclosingClass().map(PublicTypes::canBeNamed).orElse(true);
    }

    static boolean isOffered(Set<JavaModifier> modifiers) {
        return modifiers.contains(JavaModifier.PUBLIC)
                || modifiers.contains(JavaModifier.PROTECTED);
    }

    static Status.Level level(JavaClass type) {
        return type.tryGetAnnotationOfType(Status.class).map(Status::value).orElse(null);
    }
}
