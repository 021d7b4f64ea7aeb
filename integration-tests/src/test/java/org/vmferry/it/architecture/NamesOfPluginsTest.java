package org.vmferry.it.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;

import org.junit.jupiter.api.Test;
import org.vmferry.engine.discovery.Plugin;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.option.Option;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.StringEntry;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The engine and the command ask a plug-in what it is, and rule by that: they know no plug-in's id
 * and no option's name. Looked for is the whole constant; a sentence for a person may name one.
 */
class NamesOfPluginsTest {
    /** Whose work it is to know some, and why. */
    private static final Set<String> MAY =
            Set.of(
                    "org.vmferry.engine.discovery.KnownPlugins", // which artifact is to be added
                    "org.vmferry.engine.catalog.QemuNames", // the same for options; what QEMU has
                    "org.vmferry.engine.option.EngineOptions", // multifd-compression is its own
                    "org.vmferry.engine.stream.StreamHeader", // what the wire lists (rule STR-2)
                    "org.vmferry.engine.stream.OtherFormat", // what files are packed with
                    "org.vmferry.cli.Format", // what a person types behind --format
                    "org.vmferry.cli.Rehearsal", // what a person does first
                    "org.vmferry.cli.WatchCommand", // what a QEMU says that it does
                    "org.vmferry.cli.LibvirtHeader", // libvirt's formats
                    "org.vmferry.cli.bench", // asks for what it measures, QEMU too
                    "org.vmferry.cli.demo"); // asks for what it shows

    private final Plugins plugins = Plugins.discover();

    @Test
    void neitherEngineNorCommandRulesByAPluginsName() throws IOException {
        Set<String> names = new TreeSet<>();
        for (Plugin plugin : plugins.all()) {
            if (plugin.provider().getClass().getPackageName().startsWith("org.vmferry.engine."))
                continue;
            names.add(plugin.id());
            plugin.options().stream().map(Option::name).forEach(names::add);
        }
        assertThat(names).contains("mapped-ram", "multifd", "zlib", "zstd", "direct-io");
        names.add(EngineOptions.MULTIFD_COMPRESSION.name());

        var found = new TreeMap<String, Set<String>>();
        Set<String> needed = new TreeSet<>();
        for (JavaClass type : ArchitectureTest.ALL) {
            String name = type.getName();
            if (!name.startsWith("org.vmferry.engine.") && !name.startsWith("org.vmferry.cli."))
                continue;
            Set<String> known = constants(type);
            known.retainAll(names);
            if (known.isEmpty()) continue;
            Set<String> by =
                    MAY.stream()
                            .filter(may -> name.matches(may + "([.$].*)?"))
                            .collect(Collectors.toSet());
            if (by.isEmpty()) found.put(name, known);
            needed.addAll(by);
        }
        assertThat(found).as("classes that know plug-ins by name").isEmpty();
        assertThat(needed).as("classes that may").containsExactlyInAnyOrderElementsOf(MAY);
    }

    private static Set<String> constants(JavaClass type) throws IOException {
        Set<String> strings = new TreeSet<>();
        try (InputStream in = type.getSource().orElseThrow().getUri().toURL().openStream()) {
            for (var entry : ClassFile.of().parse(in.readAllBytes()).constantPool()) {
                if (entry instanceof StringEntry string) strings.add(string.stringValue());
            }
        }
        return strings;
    }
}
