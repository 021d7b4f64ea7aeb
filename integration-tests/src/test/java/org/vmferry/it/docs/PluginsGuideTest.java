package org.vmferry.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.it.docs.Markdown.Block;
import org.vmferry.it.thirdparty.ThirdParty;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;

/**
 * docs/plugins.md, followed literally from an empty folder: each file is written, each command run.
 */
class PluginsGuideTest {
    @TempDir Path directory;

    private static List<Block> blocks() throws Exception {
        return Markdown.blocks(ThirdParty.ROOT.resolve("docs/plugins.md"));
    }

    @Test
    void itsFilesAreThoseOfTheExample() throws Exception {
        int files = 0;
        for (Block block : blocks()) {
            Optional<String> file = block.file();
            if (file.isEmpty()) continue;
            assertThat(ThirdParty.SOURCES.resolve("rle").resolve(file.get()))
                    .as(block.place())
                    .content()
                    .isEqualTo(block.text());
            files++;
        }
        assertThat(files).isEqualTo(5);
    }

    @Test
    void itsStepsLeadToACodecThatCarriesAMachine() throws Exception {
        StringBuilder steps = new StringBuilder("set -eu\n");
        for (Block block : blocks()) {
            if (block.language().equals("sh")) {
                if (!block.before().startsWith("<!-- not run")) steps.append(block.text());
                continue;
            }
            block.file()
                    .ifPresent(
                            file ->
                                    steps.append("mkdir -p \"$(dirname %s)\"\n".formatted(file))
                                            .append("cat >%s <<'END'\n".formatted(file))
                                            .append(block.text())
                                            .append("END\n"));
        }
        String said = run(steps.toString());
        assertThat(said)
                .containsPattern("codec +rle +.*rle\\.jar")
                .contains("[         0 tests failed          ]")
                .contains("the same\n");
        assertThat(said).doesNotContain("[         0 tests successful      ]");
    }

    /**
     * Its files again, in another empty folder, with nothing but Maven and a repository that is
     * empty.
     */
    @Test
    void itsPomTriesTheCodec() throws Exception {
        Path codec = directory.resolve("codec");
        for (Block block : blocks()) {
            Optional<String> file = block.file();
            if (file.isEmpty() || file.get().endsWith("module-info.java")) continue;
            Path place = codec.resolve(file.get());
            Files.createDirectories(place.getParent());
            Files.writeString(place, block.text());
        }
        assertThat(new NewMaven(directory.resolve("maven")).run(codec, "package"))
                .contains("Tests run: 15, Failures: 0, Errors: 0, Skipped: 1")
                .contains("BUILD SUCCESS");
        Path plugins = Files.createDirectories(directory.resolve("plugins/rle"));
        Files.copy(codec.resolve("target/rle-1.jar"), plugins.resolve("rle-1.jar"));
        try (Plugins found = Plugins.fromDirectory(plugins.getParent())) {
            assertThat(found.codec("rle").wireMethod()).isEqualTo(24);
        }
    }

    private String run(String steps) throws Exception {
        Path java = Path.of(System.getProperty("java.home"), "bin");
        Path bin = Files.createDirectory(directory.resolve("bin"));
        Path work = Files.createDirectory(directory.resolve("empty"));
        // As the launcher, but with the classes of this build.
        Files.createFile(
                bin.resolve("vmferry"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        Files.writeString(
                bin.resolve("vmferry"),
                """
                #!/bin/sh
                exec '%s/java' --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC \
                    -cp '%s' org.vmferry.cli.Main "$@"
                """
                        .formatted(java, System.getProperty("java.class.path")));
        ProcessBuilder shell = new ProcessBuilder("bash", "-c", steps).directory(work.toFile());
        shell.environment().put("KIT", ThirdParty.KIT.toString());
        shell.environment()
                .merge(
                        "PATH",
                        bin + File.pathSeparator + java,
                        (path, ours) -> ours + File.pathSeparator + path);
        return ThirdParty.run(shell);
    }
}
