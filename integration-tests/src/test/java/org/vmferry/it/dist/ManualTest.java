package org.vmferry.it.dist;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.cli.Main;
import org.vmferry.it.dist.Unpacked.Said;
import org.vmferry.it.support.Tools;

import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The man pages and the completion of an archive, read and used by the programs that do so. */
class ManualTest {
    @TempDir private static Path directory;
    private static Unpacked archive;

    @BeforeAll
    static void unpack() throws Exception {
        archive = new Unpacked(Unpacked.archive(".tar.gz"), directory);
    }

    private static List<CommandLine> all(CommandLine command) {
        List<CommandLine> all = new ArrayList<>(List.of(command));
        for (CommandLine each : command.getSubcommands().values()) all.addAll(all(each));
        return all;
    }

    private static String page(CommandLine command) {
        return command.getCommandSpec().qualifiedName("-");
    }

    /** As a terminal of 80 columns shows it, without bold and the like. */
    private static String rendered(String page) throws Exception {
        Tools.require("groff");
        if (!Files.exists(directory.resolve("rendered"))) {
            Said said =
                    archive.run(
                            Map.of("PATH", "/usr/bin:/bin"), // groff is lost without one
                            """
                            mkdir rendered
                            for page in home/share/man/man1/*.1; do
                                groff -mandoc -Tascii -ww -P-c -P-bou "$page" >rendered/${page##*/}
                            done
                            """);
            assertThat(said).as("no warnings").isEqualTo(new Said(0, "", ""));
        }
        return Files.readString(directory.resolve("rendered").resolve(page + ".1"));
    }

    @Test
    void eachCommandHasAPageWithAllOfItsOptions() throws Exception {
        List<CommandLine> commands = all(Main.commandLine());
        assertThat(commands).hasSizeGreaterThan(15);
        for (CommandLine command : commands) {
            String text = rendered(page(command));
            assertThat(text.replaceAll("\\s+", " "))
                    .contains(" NAME " + page(command) + " - ")
                    .contains(" SYNOPSIS " + command.getCommandSpec().qualifiedName() + " ")
                    .contains(" DESCRIPTION ", " OPTIONS ", " EXIT STATUS ", " SEE ALSO ");
            for (OptionSpec option : command.getCommandSpec().options())
                assertThat(text).contains(option.names());
        }
        try (Stream<Path> pages = Files.list(archive.home().resolve("share/man/man1"))) {
            assertThat(pages.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrderElementsOf(
                            commands.stream().map(each -> page(each) + ".1").toList());
        }
    }

    /** What man and apropos make of them. */
    @Test
    void manReadsThem() throws Exception {
        Tools.require("man", "lexgrog");
        Said said =
                archive.run(
                        Map.of("LC_ALL", "C.UTF-8", "PATH", "/usr/bin:/bin"),
                        """
                        cd home/share/man/man1
                        lexgrog vmferry-inspect.1
                        man -l --warnings=all vmferry-inspect.1 >/dev/null
                        PATH=$PATH:$OLDPWD/home/bin man -w vmferry-inspect | grep -c inspect
                        """);
        assertThat(said.err()).isEmpty();
        assertThat(said.out())
                .isEqualTo(
                        "vmferry-inspect.1: \"vmferry-inspect - show what a snapshot holds:"
                                + " machine, RAM blocks, devices\"\n"
                                + "1\n");
    }

    @Test
    void theHelpsExamplesAndStatusesAreInTheirSections() throws Exception {
        String verify = rendered("vmferry-verify").replaceAll("\\s+", " ");
        assertThat(verify)
                .contains(" 3 Sound, but not whole: RAM is missing")
                .contains(" 2 What was typed")
                .containsSubsequence(
                        "EXIT STATUS", "EXAMPLES", "vmferry verify vm.snap && echo sound");
        assertThat(verify).doesNotContain("Exit status 0");
        assertThat(rendered("vmferry"))
                .contains("ENVIRONMENT", "NO_COLOR", "JAVA_HOME", "VMFERRY_PLUGINS");
    }

    /** What bash offers for the last of the words, which may be empty. */
    private static List<String> offered(String... words) throws Exception {
        Said said =
                archive.run(
                        Map.of("words", String.join(" ", words)),
                        """
                        exec bash --norc -c '
                            compopt() { :; } # bash has it only while somebody types
                            . home/share/bash-completion/completions/vmferry
                            read -ra COMP_WORDS <<<"vmferry $words"
                            case $words in *" ") COMP_WORDS+=("");; esac
                            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
                            $(complete -p vmferry | sed "s/.*-F \\([^ ]*\\).*/\\1/")
                            printf "%s\\n" "${COMPREPLY[@]}"'
                        """);
        assertThat(said.err()).isEmpty();
        return said.out().lines().map(String::strip).toList();
    }

    @Test
    void bashCompletes() throws Exception {
        Tools.require("bash");
        assertThat(offered("ins")).containsExactly("inspect");
        assertThat(offered("inspect", "--dev")).containsExactly("--device");
        assertThat(offered("bench", "")).contains("snapshot", "live", "cold");
        assertThat(offered("convert", "--format", ""))
                .containsExactlyInAnyOrder("mapped-ram", "stream");
        assertThat(offered("verify", "ho")).containsExactly("home");
    }

    /** In a zsh that somebody types into, who has the folder in fpath. */
    @Test
    void zshCompletes() throws Exception {
        Tools.require("zsh");
        Said said =
                archive.run(
                        Map.of("PATH", "/usr/bin:/bin", "TERM", "dumb", "LC_ALL", "C.UTF-8"),
                        """
                        zsh -n home/share/bash-completion/completions/vmferry || exit 1
                        exec zsh -f -c '
                            zmodload zsh/zpty
                            tab=$(printf "\\t")
                            zpty -b typist "zsh -f -i"
                            said=
                            await() {
                                local part n
                                for n in {1..60}; do
                                    while zpty -r typist part; do said+=$part; done
                                    [[ $said == *$1* ]] && return
                                    sleep 0.1
                                done
                                print -r -- "no $1 in: $said"
                                exit 2
                            }
                            zpty -w typist "fpath=($PWD/home/share/zsh/site-functions \\$fpath) path+=$PWD"
                            zpty -w typist "autoload -Uz compinit; compinit -u -D; print rea\\\\dy"
                            await ready
                            zpty -w -n typist "vmferry ins$tab"
                            await "vmferry inspect"
                            zpty -w -n typist "--inst$tab"
                            await "instance "'
                        """);
        assertThat(said).isEqualTo(new Said(0, "", ""));
    }
}
