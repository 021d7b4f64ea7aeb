package org.vmferry.cli;

import org.vmferry.engine.Engine;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Printable;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The {@code vmferry} command: exit status 0 is done, 1 failed, 2 not understood; 3 from {@code
 * verify}: sound, but not whole; 3 from {@code plugins}: something was left out.
 */
@Command(
        name = "vmferry",
        description = {
            "Snapshots and migrations of virtual machines, in QEMU's own formats.",
            "A snapshot is what QEMU's migrate wrote to a file, or a libvirt save image.",
        },
        synopsisSubcommandLabel = "COMMAND",
        versionProvider = Main.Version.class,
        footer = {
            "",
            "Examples:",
            "  vmferry demo",
            "  vmferry inspect vm.snap",
            "  vmferry watch /run/vm.qmp",
            "  vmferry COMMAND --help",
        })
public final class Main implements Runnable {
    private static final int NARROWEST_HELP = 60;
    private static final int WIDEST_HELP = 120; // lines that are longer are hard to read

    /** What a bare {@code vmferry} says. */
    private static final String OVERVIEW =
            """
            vmferry carries a virtual machine from one process to another, or to a file and back, in
            QEMU's own formats.

              vmferry inspect FILE                   what a snapshot holds
              vmferry inspect FILE --html OUT        the same as a page to look around in
              vmferry verify FILE                    whether it is sound and whole
              vmferry convert IN OUT --format mapped-ram
                                                     the same machine in the other format
              vmferry send FILE URI                  brings it to a waiting QEMU, or host
              vmferry receive URI -o FILE            waits for a migration, and keeps what arrives
              vmferry watch SOCKET                   follows a migration that runs
              vmferry demo                           moves a running guest, and proves it

            FILE is what QEMU's migrate wrote to a file, or a libvirt save image.
            All commands: vmferry --help. One of them, with examples: vmferry COMMAND --help.
            """;

    @Spec private CommandSpec spec;

    /** By name, in the order of the help. */
    private static final Map<String, Supplier<Object>> SUBCOMMANDS = new LinkedHashMap<>();

    static {
        SUBCOMMANDS.put("inspect", InspectCommand::new);
        SUBCOMMANDS.put("verify", VerifyCommand::new);
        SUBCOMMANDS.put("extract", ExtractCommand::new);
        SUBCOMMANDS.put("convert", ConvertCommand::new);
        SUBCOMMANDS.put("send", SendCommand::new);
        SUBCOMMANDS.put("receive", ReceiveCommand::new);
        SUBCOMMANDS.put("watch", WatchCommand::new);
        SUBCOMMANDS.put("demo", DemoCommand::new);
        SUBCOMMANDS.put("bench", BenchCommand::new);
        SUBCOMMANDS.put("plugins", PluginsCommand::new);
    }

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Say how it is used.")
    private boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Say which version this is.")
    private boolean version;

    @Option(
            names = "--plugins",
            scope = ScopeType.INHERIT,
            paramLabel = "DIR",
            defaultValue = "${env:VMFERRY_PLUGINS}",
            description =
                    "A folder of plug-ins, a sub-folder for each, to be used besides the built-in"
                            + " ones (default: $$VMFERRY_PLUGINS).")
    private Path plugins;

    @Option(
            names = "--plugins-of-anyone",
            scope = ScopeType.INHERIT,
            description =
                    "Use that folder also if others than root and you can write to it: plug-ins are"
                            + " code that runs as you.")
    private boolean anyones;

    private Main() {}

    /** Nothing was asked for. */
    @Override
    public void run() {
        spec.commandLine().getOut().print(OVERVIEW);
        spec.commandLine().getOut().flush();
    }

    /** The plug-ins that were asked for; a variable set to nothing asks for none. */
    Optional<Plugins> plugins() throws MigrationException {
        if (plugins == null || plugins.toString().isEmpty()) return Optional.empty();
        return Optional.of(
                anyones ? Plugins.fromAnyonesDirectory(plugins) : Plugins.fromDirectory(plugins));
    }

    /**
     * The command, for the system's shell.
     *
     * @param arguments what was typed after {@code vmferry}
     */
    public static void main(String[] arguments) {
        CommandLine command = commandLine(arguments);
        // From here on only loggers write to it, and what they are given may come from outside.
        System.setErr(new PrintableStream(System.err));
        System.exit(command.execute(arguments));
    }

    /**
     * The command, to be run in process.
     *
     * @return executes any number of times, one at a time; its writers can be set
     */
    public static CommandLine commandLine() {
        return commandLine(SUBCOMMANDS);
    }

    /** The command for this line alone: what all of its subcommands take needs time to read. */
    static CommandLine commandLine(String[] line) {
        if (line.length == 0) return commandLine(Map.of());
        Supplier<Object> first = SUBCOMMANDS.get(line[0]);
        return commandLine(first == null ? SUBCOMMANDS : Map.of(line[0], first));
    }

    private static CommandLine commandLine(Map<String, Supplier<Object>> subcommands) {
        CommandLine command = new CommandLine(new Main());
        subcommands.forEach((name, each) -> command.addSubcommand(name, each.get()));
        Terminal terminal = Terminal.here();
        boolean coloured = terminal.out() && terminal.colours();
        if (terminal.out())
            command.setUsageHelpWidth(Math.clamp(terminal.width(), NARROWEST_HELP, WIDEST_HELP));
        return command.setColorScheme(
                        Help.defaultColorScheme(coloured ? Help.Ansi.ON : Help.Ansi.OFF))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setAllowSubcommandsAsOptionParameters(true) // --plugins plugins
                .setExecutionExceptionHandler((e, failed, parsed) -> failed(e, failed))
                .setParameterExceptionHandler((e, arguments) -> misunderstood(e));
    }

    /** Says why a command failed; the status with which it ends. */
    static int failed(Exception failure, CommandLine command) {
        PrintWriter err = command.getErr();
        err.println("vmferry: " + Printable.line(sentence(failure)));
        boolean debug = command.getCommand() instanceof Action action && action.debug;
        if (debug) {
            StringWriter trace = new StringWriter();
            failure.printStackTrace(new PrintWriter(trace));
            err.print(Printable.lines(trace.toString()));
        }
        err.flush();
        return command.getCommandSpec().exitCodeOnExecutionException();
    }

    private static int misunderstood(ParameterException e) {
        CommandLine command = e.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("vmferry: " + Printable.line(e.getMessage()));
        CommandLine.UnmatchedArgumentException.printSuggestions(e, err);
        err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        err.flush();
        return command.getCommandSpec().exitCodeOnInvalidInput();
    }

    /** What went wrong, for a person: some exceptions of the JDK say no more than a file's name. */
    static String sentence(Throwable failure) {
        return switch (failure) {
            case NoSuchFileException e -> "no such file: " + e.getFile();
            case AccessDeniedException e -> "no permission for " + e.getFile();
            case FileSystemException e when e.getReason() == null ->
                    e.getClass().getSimpleName() + ": " + e.getFile();
            case UncheckedIOException e -> sentence(e.getCause());
            case RuntimeException e -> "a fault of vmferry's own (see --debug): " + e;
            default -> failure.getMessage() == null ? failure.toString() : failure.getMessage();
        };
    }

    /** The version that Maven put into the jar. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"vmferry " + Engine.version()};
        }
    }
}
