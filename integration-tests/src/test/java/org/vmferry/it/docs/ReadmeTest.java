package org.vmferry.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What README shows is what is compiled and run here. */
class ReadmeTest {
    private static final Path ROOT = Path.of(System.getProperty("vmferry.root", ".."));

    @TempDir Path directory;

    @Test
    void theCodeInReadmeIsTheExample() throws Exception {
        String readme = Files.readString(ROOT.resolve("README.md"));
        Matcher code = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(readme);
        assertThat(code.find()).isTrue();
        String example =
                Files.readString(
                        ROOT.resolve(
                                "integration-tests/src/test/java/org/vmferry/it/docs/ReadmeExample.java"));
        assertThat(example).endsWith(code.group(1));
    }

    /** Where a host's author has the jars from: a BOM of another version is found nowhere. */
    @ParameterizedTest
    @ValueSource(strings = {"README.md", "docs/embedding.md", "docs/plugins.md"})
    void theVersionToDependOnIsThisBuilds(String document) throws Exception {
        String pom = Files.readString(ROOT.resolve("pom.xml"));
        Matcher own = Pattern.compile("<version>(.*?)</version>").matcher(pom);
        assertThat(own.find()).isTrue();
        String guide = Files.readString(ROOT.resolve(document));
        assertThat(guide.replaceAll("(?m)^ +", ""))
                .contains("mvn install -DskipTests")
                .contains(
                        """
                        <artifactId>vmferry-bom</artifactId>
                        <version>%s</version>
                        <type>pom</type>
                        <scope>import</scope>
                        """
                                .formatted(own.group(1)));
    }

    @Test
    void theExampleSavesAndRestores() throws Exception {
        var guest = new ReadmeExample();
        guest.memory.segment().set(ValueLayout.JAVA_LONG, 4096, 42);
        guest.ticks = 7;
        ReadmeExample.save(guest, directory.resolve("vm.snap"));

        ReadmeExample restored = ReadmeExample.restore(directory.resolve("vm.snap"));
        assertThat(restored.memory.segment().mismatch(guest.memory.segment())).isEqualTo(-1);
        assertThat(restored.ticks).isEqualTo(7);
    }
}
