package org.vmferry.it.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;

import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.vmferry.engine.memory.KernelDirtyLog;
import org.vmferry.spi.Log;

/** Who may use whom, as ARCHITECTURE.md has it. */
class ArchitectureTest {
    /** Each module's main code. */
    static final JavaClasses ALL =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .withImportOption(place -> !place.contains("/org/vmferry/it/"))
                    .importPackages("org.vmferry");

    @Test
    void theSpiDependsOnTheJdkInjectSlf4jAndAnnotationsAlone() {
        classes()
                .that()
                .resideInAPackage("org.vmferry.spi..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "org.vmferry.spi..",
                        "java..",
                        "jakarta.inject..",
                        "org.slf4j..",
                        "org.jspecify.annotations..")
                .check(ALL);
    }

    /** Names from outside stand in what is logged. */
    @Test
    void allLogByTheLoggersThatClean() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName(Log.class.getName())
                .should()
                .dependOnClassesThat()
                .areAssignableTo(LoggerFactory.class)
                .check(ALL);
    }

    @Test
    void plugInsSeeNeitherTheEngineNorEachOther() {
        for (String plugin : new String[] {"spi", "engine", "mappedram", "multifd", "zstd"}) {
            noClasses()
                    .that()
                    .resideInAPackage("org.vmferry." + plugin + "..")
                    .should()
                    .dependOnClassesThat(
                            DescribedPredicate.describe(
                                    "are of another module of ours than spi",
                                    c ->
                                            c.getPackageName().startsWith("org.vmferry.")
                                                    && !c.getPackageName()
                                                            .startsWith("org.vmferry.spi")
                                                    && !c.getPackageName()
                                                            .startsWith("org.vmferry." + plugin)))
                    .check(ALL);
        }
    }

    @Test
    void nothingInTheEngineNeedsItsQmpServer() {
        noClasses()
                .that()
                .resideInAPackage("org.vmferry.engine..")
                .and()
                .resideOutsideOfPackage("org.vmferry.engine.qmp")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.vmferry.engine.qmp")
                .check(ALL);
    }

    /**
     * Two kinds of thing are two types: no method throws for the other kind. What may throw it says
     * that a platform lacks something.
     */
    @Test
    void noMethodIsThereForTheOtherKind() {
        noClasses()
                .that(
                        DescribedPredicate.<JavaClass>describe(
                                "are not about the platform",
                                c ->
                                        !c.isEquivalentTo(KernelDirtyLog.class)
                                                && !c.getSimpleName().equals("OpenFile")
                                                && !c.getSimpleName().equals("HostMemory")))
                .should()
                .callConstructor(UnsupportedOperationException.class, String.class)
                .orShould()
                .callConstructor(UnsupportedOperationException.class)
                .check(ALL);
    }

    /** Between no two packages of one module is a way there and back. */
    @Test
    void packagesDoNotGoInCircles() {
        for (String module :
                new String[] {"spi", "engine", "mappedram", "multifd", "zstd", "testkit", "cli"}) {
            String top = "org.vmferry." + module;
            slices().assignedFrom(new Packages(top)).should().beFreeOfCycles().check(ALL);
        }
    }

    /** A package each; the top one too, which a pattern would leave out. */
    private record Packages(String top) implements SliceAssignment {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass type) {
            String name = type.getPackageName();
            return name.equals(top) || name.startsWith(top + ".")
                    ? SliceIdentifier.of(name)
                    : SliceIdentifier.ignore();
        }

        @Override
        public String getDescription() {
            return "packages of " + top;
        }
    }

    @Test
    void noStaticHoldsState() {
        fields().that()
                .areStatic()
                .and()
                .areDeclaredInClassesThat()
                .resideInAPackage("org.vmferry..")
                .should()
                .beFinal()
                .check(ALL);
    }
}
