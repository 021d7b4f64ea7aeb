package org.vmferry.it.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.cli.Main;
import org.vmferry.it.docs.Markdown.Block;
import org.vmferry.it.support.Snapshots;
import org.vmferry.it.thirdparty.ThirdParty;

import picocli.CommandLine;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Every command that a document shows is run, on a small snapshot; {@code [X]} with and without,
 * {@code A|B} both ways. docs/plugins.md has a test of its own.
 */
class CommandsInDocsTest {
    /** What is shown and not run here, and why. */
    private static final Map<String, String> NOT_RUN =
            Map.of(
                    "mvn (clean |)(verify|install|test).*", "it is this build",
                    "(\\.ci/|git ).*", "it is a release, which .ci/run tries",
                    "(vmferry|\\./vmferry) bench .*", "it measures for minutes",
                    "vmferry watch .*", "it waits for a migration, see WatchTest",
                    "(ip netns|tc) .*", "it makes a slow link for a bench",
                    "java -(XX:StartFlightRecording|Djava.security.properties)=.*\\.\\.\\.",
                            "the dots are somebody's host",
                    "jdk\\.tls\\.keyLimits=.*", "it is a line of a file",
                    "jfr print .*", "it prints what that one's host has recorded");

    private static final Pattern OPTIONAL = Pattern.compile("\\[(.*?)]");
    private static final Pattern CHOICE = Pattern.compile("(\\S+?)\\|(\\S+)");

    private static final Set<List<String>> RUN = new HashSet<>();

    @TempDir static Path directory;

    @BeforeAll
    static void save() throws Exception {
        Snapshots.save(directory.resolve("vm.snap"), "mapped-ram");
        Snapshots.save(directory.resolve("vm.stream"));
    }

    @TestFactory
    List<DynamicTest> everyOne() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (Path document : Markdown.documents(ThirdParty.ROOT)) {
            if (document.endsWith("docs/plugins.md")) continue;
            for (Block block : Markdown.blocks(document)) {
                if (!block.indented() && !block.language().equals("sh")) continue;
                for (String line : block.lines()) {
                    if (line.isBlank()) continue;
                    String command = line.split("\\s{2,}")[0]; // what follows is said of it
                    tests.add(
                            DynamicTest.dynamicTest(
                                    block.place() + " " + command,
                                    () -> forms(command).forEach(CommandsInDocsTest::run)));
                }
            }
        }
        assertThat(tests).hasSizeGreaterThan(10);
        return tests;
    }

    /** All that a line stands for. */
    private static Stream<String> forms(String command) {
        Matcher optional = OPTIONAL.matcher(command);
        if (optional.find()) {
            return Stream.of("", optional.group(1))
                    .flatMap(part -> forms(optional.replaceFirst(Matcher.quoteReplacement(part))));
        }
        Matcher choice = CHOICE.matcher(command);
        if (choice.find()) {
            return Stream.of(choice.group(1), choice.group(2))
                    .flatMap(part -> forms(choice.replaceFirst(Matcher.quoteReplacement(part))));
        }
        return Stream.of(command);
    }

    private static void run(String command) {
        NOT_RUN.forEach((not, why) -> assumeFalse(command.matches(not), "not run: " + why));
        Map<String, String> names =
                Map.of(
                        "FILE", command.contains("-o FILE") ? "arrived.snap" : "vm.snap",
                        "IN", "vm.snap",
                        "OUT", "out",
                        "URI", command.contains("receive") ? "file:vm.stream" : "file:sent",
                        "ID", "ref.ram",
                        "NAME", "ref-cpu",
                        "N", "0");
        // A small guest shows as much.
        String small = command.replaceFirst("vmferry demo", "$0 --size 16M");
        List<String> words = List.of(small.strip().split("\\s+"));
        assertThat(words.getFirst())
                .as("what can be run, or is in NOT_RUN")
                .matches("(\\./)?vmferry");
        String[] arguments =
                words.stream()
                        .skip(1)
                        .map(word -> names.getOrDefault(word, word))
                        .map(
                                word ->
                                        word.replaceFirst(
                                                "^(file:)?(?=(vm|sent|out|arrived)\\b)",
                                                "$1" + directory + "/"))
                        .toArray(String[]::new);
        if (!RUN.add(List.of(arguments))) return; // another document shows it, too
        StringWriter said = new StringWriter();
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(said)).setErr(new PrintWriter(said));
        assertThat(line.execute(arguments)).as("%s%n%s", List.of(arguments), said).isZero();
    }
}
