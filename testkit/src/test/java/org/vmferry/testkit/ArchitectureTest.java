package org.vmferry.testkit;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.vmferry.spi.Log;
import org.vmferry.spi.Status;

/** Who may use whom, as ARCHITECTURE.md has it. */
class ArchitectureTest {
    private static final JavaClasses ALL =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("org.vmferry");

    @Test
    void everyPublicTypeOfTheSpiSaysHowFarItMayBeReliedOn() {
        DescribedPredicate<JavaClass> documented =
                DescribedPredicate.describe(
                        "documented", c -> !c.getSimpleName().equals("package-info"));
        classes()
                .that(documented)
                .and()
                .resideInAPackage("org.vmferry.spi..")
                .and()
                .arePublic()
                .should()
                .beAnnotatedWith(Status.class)
                .check(ALL);
    }

    @Test
    void theSpiDependsOnTheJdkInjectAndSlf4jAlone() {
        classes()
                .that()
                .resideInAPackage("org.vmferry.spi..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "org.vmferry.spi..", "java..", "jakarta.inject..", "org.slf4j..")
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
        for (String plugin : new String[] {"mappedram", "multifd", "zstd"}) {
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
