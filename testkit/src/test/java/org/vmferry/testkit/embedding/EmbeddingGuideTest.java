package org.vmferry.testkit.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Migration;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What docs/embedding.md shows is what is compiled, and does what it says. */
class EmbeddingGuideTest {
    private static final Path ROOT = Path.of(System.getProperty("vmferry.root", ".."));

    @TempDir Path directory;
    private final EmbeddingExample example = new EmbeddingExample();

    @Test
    void itsCodeIsInTheFilesThatItNames() throws Exception {
        assertThat(held("docs/embedding.md")).isGreaterThan(10);
        assertThat(held("docs/plugins.md")).isGreaterThan(1);
    }

    /**
     * Of the blocks that name one; the others are whole files of an author's, which tests follow.
     */
    private static int held(String document) throws Exception {
        String guide = Files.readString(ROOT.resolve(document));
        List<MatchResult> blocks =
                Pattern.compile("```java +(.+)\n([\\s\\S]*?)```").matcher(guide).results().toList();
        for (MatchResult each : blocks)
            assertThat(source(each.group(1))).as(each.group(1)).contains(each.group(2));
        return blocks.size();
    }

    /** Of a file in the testkit or in one of the examples. */
    private static String source(String name) throws IOException {
        List<Path> found = new ArrayList<>();
        for (String folder : List.of("testkit", "examples")) {
            try (var files = Files.walk(ROOT.resolve(folder))) {
                files.filter(file -> file.endsWith(name)).forEach(found::add);
            }
        }
        assertThat(found).as(name).hasSize(1);
        return Files.readString(found.getFirst());
    }

    @Test
    void itHasEveryLineOfTheExamples() throws Exception {
        String guide = Files.readString(ROOT.resolve("docs/embedding.md"));
        for (String file :
                List.of(
                        "unicorn/Unicorn.java",
                        "unicorn/UnicornMachine.java",
                        "unicorn/UnicornMachineTest.java",
                        "unicorn/Main.java",
                        "chicory/ChicoryMachine.java",
                        "chicory/ChicoryMachineTest.java")) {
            Set<String> shown =
                    Pattern.compile("```java " + file + "\n([\\s\\S]*?)```")
                            .matcher(guide)
                            .results()
                            .flatMap(block -> block.group(1).lines())
                            .collect(Collectors.toSet());
            assertThat(source(file).lines())
                    .as(file)
                    .filteredOn(line -> !line.isBlank() && !line.matches("(package|import) .*"))
                    .isSubsetOf(shown);
        }
        String second = source("chicory/Main.java");
        assertThat(second.replace("chicory", "unicorn").replace("Chicory", "Unicorn"))
                .isEqualTo(source("unicorn/Main.java"));
    }

    @Test
    void theReferenceMachineGoesThroughAllOfIt() throws Exception {
        ReferenceMachineBuilder builder = ReferenceMachine.builder().ram(2 << 20).dirtyWindow(200);
        try (ReferenceMachine source = builder.build();
                ReferenceMachine destination = builder.build();
                ReferenceMachine restored = builder.adopting().build();
                ReferenceMachine twin = builder.build()) {
            source.enter(RunState.RUNNING);
            Migration incoming = example.listen(destination);
            example.migrate(source, incoming.address().toString());
            incoming.await();
            assertThat(incoming.owner()).isEqualTo(GuestOwner.DESTINATION);

            Path file = directory.resolve("vm.snap");
            example.save(destination, file);
            assertThat(destination.runState()).isEqualTo(RunState.RUNNING);
            example.restore(restored, file);
            assertThat(restored.runState()).isEqualTo(RunState.RUNNING);
            restored.enter(RunState.PAUSED);
            twin.runFor(restored.instructions());
            assertThat(restored.digest()).isEqualTo(twin.digest());
        }
    }

    @Test
    void theOwnerSaysWhatIsNext() throws Exception {
        BankedMachine source = new BankedMachine();
        source.enter(RunState.RUNNING);
        Migration save =
                example.engine.send(
                        source, "file:" + directory.resolve("vm.snap"), EmbeddingExample.SNAPSHOT);
        save.await();
        assertThat(source.runState()).isEqualTo(RunState.POSTMIGRATE);
        example.afterwards(source, save);
        assertThat(source.runState()).isEqualTo(RunState.RUNNING);

        BankedMachine destination = new BankedMachine();
        Migration incoming = example.listen(destination);
        Migration outgoing =
                example.engine.send(source, incoming.address().toString(), EmbeddingExample.LIVE);
        outgoing.await();
        example.afterwards(source, outgoing);
        assertThat(source.runState()).isEqualTo(RunState.SHUTDOWN);
        incoming.await();
        assertThat(destination.runState()).isEqualTo(RunState.RUNNING);
        destination.enter(RunState.SHUTDOWN);
    }

    @Test
    void itEndsWhereItIsTold() throws Exception {
        Migration incoming = example.listen(new BankedMachine());
        example.hurry(incoming);
        example.end(incoming);
        assertThatThrownBy(incoming::await).hasMessageContaining("cancelled");
    }

    @Test
    void aVetoIsTheMigrationsError() {
        Machine machine = new BankedMachine();
        assertThatThrownBy(
                        () ->
                                EmbeddingExample.careful(() -> true)
                                        .send(
                                                machine,
                                                "file:" + directory.resolve("vm.snap"),
                                                EmbeddingExample.SNAPSHOT)
                                        .await())
                .hasMessageContaining("a backup is under way: try again when it is done");
        assertThat(directory).isEmptyDirectory();
    }
}
