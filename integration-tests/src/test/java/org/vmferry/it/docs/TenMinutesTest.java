package org.vmferry.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.it.docs.Markdown.Block;
import org.vmferry.it.thirdparty.ThirdParty;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The first page of docs/embedding.md, followed literally from an empty folder. */
class TenMinutesTest {
    @TempDir Path directory;

    @Test
    void aGuestIsSavedRestoredAndMigrated() throws Exception {
        Path project = Files.createDirectory(directory.resolve("empty"));
        Set<String> files = new HashSet<>();
        List<Block> blocks = Markdown.blocks(ThirdParty.ROOT.resolve("docs/embedding.md"));
        for (Block block : blocks) {
            if (!block.language().equals("java") && !block.language().equals("xml")) continue;
            String file = block.file().orElseThrow(() -> new AssertionError(block.place()));
            Path place = project.resolve(file);
            Files.createDirectories(place.getParent());
            Files.writeString(place, block.text());
            files.add(file);
        }
        assertThat(files)
                .containsExactlyInAnyOrder(
                        "pom.xml",
                        "src/main/java/example/Counter.java",
                        "src/test/java/example/SnapshotTest.java",
                        "src/test/java/example/LiveTest.java");
        assertThat(new NewMaven(directory.resolve("maven")).run(project, "test"))
                .containsPattern("saved at [0-9]+, restored, and counts on")
                .containsPattern("migrated live, stood still [0-9]+ ms")
                .contains("Tests run: 2, Failures: 0, Errors: 0, Skipped: 0")
                .contains("BUILD SUCCESS");
    }
}
