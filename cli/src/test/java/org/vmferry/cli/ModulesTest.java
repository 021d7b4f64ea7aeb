package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.File;
import java.lang.module.Configuration;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires;
import java.lang.module.ModuleFinder;
import java.lang.module.ResolvedModule;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the command brings along. */
class ModulesTest {
    private static final String SELF = "org.vmferry.cli";
    private static final ModuleFinder ALL =
            ModuleFinder.of(
                    Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                            .map(Path::of)
                            .toArray(Path[]::new));

    @Test
    void itNeedsTheReferenceMachineAndNoSuite() {
        Set<String> needed =
                Configuration.resolve(
                                ALL,
                                List.of(ModuleLayer.boot().configuration()),
                                ModuleFinder.of(),
                                Set.of(SELF))
                        .modules()
                        .stream()
                        .map(ResolvedModule::name)
                        .collect(Collectors.toSet());
        assertThat(needed)
                .contains("org.vmferry.testkit.machine")
                .doesNotContain("org.vmferry.testkit")
                .noneMatch(name -> name.startsWith("org.junit"));
    }

    /** Neither where it would only be compiled with. */
    @Test
    void itIsCompiledWithNoSuite() {
        ModuleDescriptor self = ALL.find(SELF).orElseThrow().descriptor();
        assertThat(self.requires())
                .extracting(Requires::name)
                .contains("org.vmferry.testkit.machine")
                .doesNotContain("org.vmferry.testkit")
                .noneMatch(name -> name.startsWith("org.junit"));
    }
}
