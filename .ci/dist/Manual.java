import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.Ansi.IStyle;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The man pages: one of each command, out of what its help says. Of a help's footer what is
 * indented under "Example" are examples, what begins with "Exit status" is that, and the rest
 * describes.
 */
final class Manual {
    private static final int ONE_LINE = 2000;

    private static final Pattern STATUS = Pattern.compile("(\\d): (.*?)(?= \\d: |$)");

    private static final Map<String, String> STATUSES =
            Map.of(
                    "0", "Done.",
                    "1", "It failed: one line on standard error says why.",
                    "2", "What was typed was not understood; nothing was done.");

    private static final String[][] VARIABLES = {
        {
            "JAVA_HOME",
            "The Java that runs vmferry, 25 or newer. Without it that of the PATH is taken, or else"
                + " one that lies where they usually do. An installation with a runtime of its own"
                + " runs by that."
        },
        {
            "JAVA_TOOL_OPTIONS",
            "Options of the Java runtime. -Djava.io.tmpdir=DIR names the folder for temporary"
                + " files, -DZstdTempFolder=DIR another one for zstd's library, where no library"
                + " may be loaded from the first, -Xmx2g how much heap it may take."
        },
        {
            "LC_ALL, LC_CTYPE, LANG",
            "The encoding of names and of what is printed. Where they name no more than ASCII,"
                    + " names are taken for UTF-8."
        },
        {"NO_COLOR", "If it is set, and not empty, nothing is coloured."},
        {
            "TERM",
            "Where it is dumb, nothing is coloured, and no line that was written is written over."
        },
        {"VMFERRY_PLUGINS", "A folder of plug-ins, as --plugins names one. That goes before it."},
    };

    private final String version;
    private final String date;

    Manual(String version, String date) {
        this.version = version;
        this.date = date.replaceFirst("T.*", "");
    }

    /** Writes the pages of a command and of all below it. */
    void write(CommandLine command, Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve(page(command) + ".1"), text(command));
        for (CommandLine each : command.getSubcommands().values()) write(each, folder);
    }

    private static String page(CommandLine command) {
        return command.getCommandSpec().qualifiedName("-");
    }

    private static String reference(CommandLine command) {
        return Roff.bold(page(command)) + "(1)";
    }

    private String text(CommandLine command) {
        CommandSpec spec = command.getCommandSpec();
        Footer footer = new Footer(spec.usageMessage().footer());
        List<String> description = List.of(spec.usageMessage().description());
        String first = description.getFirst();
        String is = first.replaceFirst("\\.(\\s.*)?$", "");
        Roff page = new Roff(page(command).toUpperCase(), date, "vmferry " + version, "vmferry");
        page.section("NAME")
                .text(page(command) + " - " + is.substring(0, 1).toLowerCase() + is.substring(1));
        page.section("SYNOPSIS").text(synopsis(command));
        page.section("DESCRIPTION");
        for (String paragraph : description) page.paragraph(paragraph);
        for (String paragraph : footer.described) page.paragraph(paragraph);
        arguments(page, command);
        commands(page, command);
        page.section("EXIT STATUS");
        statuses(footer).forEach(page::item);
        if (spec.parent() == null) {
            page.section("ENVIRONMENT");
            for (String[] each : VARIABLES) page.item(Roff.bold(each[0]), each[1]);
        }
        if (!footer.examples.isEmpty()) page.section("EXAMPLES");
        footer.examples.forEach(
                (heading, lines) -> {
                    if (heading.contains(",")) page.paragraph(heading);
                    page.example(lines);
                });
        page.section("SEE ALSO").text(others(command));
        return page.toString();
    }

    private static String synopsis(CommandLine command) {
        command.setUsageHelpWidth(ONE_LINE);
        return marked(new Help(command.getCommandSpec(), scheme()).synopsis(0));
    }

    private static void arguments(Roff page, CommandLine command) {
        Help help = new Help(command.getCommandSpec(), scheme());
        var labels = help.parameterLabelRenderer();
        List<ArgSpec> all = new ArrayList<>(command.getCommandSpec().positionalParameters());
        command.getCommandSpec().options().stream()
                .sorted(Comparator.comparing(Manual::word))
                .forEach(all::add);
        all.removeIf(ArgSpec::hidden);
        if (!all.isEmpty()) page.section("OPTIONS");
        for (ArgSpec each : all) {
            String label =
                    marked(labels.renderParameterLabel(each, Ansi.ON, styles(each)).toString());
            String term =
                    each instanceof OptionSpec option
                            ? String.join(
                                            ", ",
                                            List.of(option.names()).stream()
                                                    .map(Roff::bold)
                                                    .toList())
                                    + label
                            : label;
            page.item(term, each.description());
        }
    }

    private static void commands(Roff page, CommandLine command) {
        if (command.getSubcommands().isEmpty()) return;
        page.section("COMMANDS");
        for (CommandLine each : command.getSubcommands().values())
            page.item(reference(each), each.getCommandSpec().usageMessage().description()[0]);
    }

    private static Map<String, String> statuses(Footer footer) {
        Map<String, String> all = new TreeMap<>(STATUSES);
        Matcher own = STATUS.matcher(footer.status);
        while (own.find()) {
            String text = own.group(2);
            all.put(own.group(1), text.substring(0, 1).toUpperCase() + text.substring(1));
        }
        return all;
    }

    private static String others(CommandLine command) {
        List<String> all = new ArrayList<>();
        CommandLine parent = command.getParent();
        if (parent != null) all.add(reference(parent));
        var beside = (parent == null ? command : parent).getSubcommands().values();
        for (CommandLine each : beside) if (each != command) all.add(reference(each));
        all.add(Roff.bold("qemu-system-x86_64") + "(1)");
        all.add(Roff.bold("virsh") + "(1)");
        return String.join(", ", all);
    }

    /** The longest name's letters. */
    private static String word(OptionSpec option) {
        return option.longestName().replaceFirst("^-+", "");
    }

    private static List<IStyle> styles(ArgSpec each) {
        return each.isOption() ? scheme().optionParamStyles() : scheme().parameterStyles();
    }

    private static Help.ColorScheme scheme() {
        IStyle bold = style(Roff.BOLD);
        IStyle italic = style(Roff.ITALIC);
        return new Help.ColorScheme.Builder(Ansi.ON)
                .commands(bold)
                .options(bold)
                .parameters(italic)
                .optionParams(italic)
                .build();
    }

    private static IStyle style(char on) {
        return new IStyle() {
            @Override
            public String on() {
                return String.valueOf(on);
            }

            @Override
            public String off() {
                return String.valueOf(Roff.PLAIN);
            }
        };
    }

    /** Without what picocli writes for terminals, and in one line. */
    private static String marked(String text) {
        return text.replaceAll("\u001b\\[\\d*m", "").replaceAll("\\s+", " ").strip();
    }

    /** What a help says at its end. */
    private static final class Footer {
        final List<String> described = new ArrayList<>();
        final Map<String, List<String>> examples = new LinkedHashMap<>();
        String status = "";

        Footer(String[] lines) {
            String heading = "";
            for (String line : lines) {
                if (line.isBlank()) continue;
                if (line.startsWith("  ")) examples.get(heading).add(line.strip());
                else if (line.startsWith("Example")) {
                    heading = line;
                    examples.put(heading, new ArrayList<>());
                } else if (line.startsWith("Exit status ")) status = line;
                else described.add(line);
            }
        }
    }
}
