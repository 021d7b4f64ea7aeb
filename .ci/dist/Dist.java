import org.vmferry.cli.Main;

import picocli.AutoComplete;
import picocli.CommandLine;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Writes what an archive of the command has beside its jars: man pages, completion, and licences of
 * the jars on this JVM's class path.
 *
 * <p>{@code java -cp JARS .ci/dist/Dist.java OUT VERSION DATE TEXTS}, where TEXTS has licences of
 * jars that bring none.
 */
final class Dist {
    /** What zsh loads when it first completes the command: bash's serves it, too. */
    private static final String ZSH =
            """
            #compdef vmferry
            autoload -U +X bashcompinit && bashcompinit
            whence compopt >/dev/null || compopt() { : } # of bash's, and zsh goes without
            source "${${(%):-%x}:A:h:h:h}/bash-completion/completions/vmferry"
            _bash_complete -o default -F _complete_vmferry
            """;

    public static void main(String[] arguments) throws IOException {
        Path out = Path.of(arguments[0]);
        CommandLine command = Main.commandLine();
        new Manual(arguments[1], arguments[2]).write(command, out.resolve("share/man/man1"));
        String name = command.getCommandName();
        write(
                out.resolve("share/bash-completion/completions").resolve(name),
                AutoComplete.bash(name, command));
        write(out.resolve("share/zsh/site-functions").resolve("_" + name), ZSH);
        List<Path> jars =
                Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                        .map(Path::of)
                        .toList();
        new Licences(Path.of(arguments[3])).write(jars, out.resolve("licences"));
    }

    private static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
