package org.vmferry.cli;

import org.vmferry.engine.catalog.OptionCatalog;
import org.vmferry.engine.discovery.Plugin;
import org.vmferry.engine.discovery.PluginKind;
import org.vmferry.engine.discovery.RejectedPlugin;
import org.vmferry.engine.json.Json;
import org.vmferry.spi.Printable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Lists plug-ins. */
@Command(
        name = "plugins",
        description = "Show which plug-ins there are, from where, and which were left out and why.",
        footer = {
            "",
            "Exit status 0: all that were found can be used. 3: something was left out, or an"
                    + " option can't be set because two claim it.",
            "",
            "Examples:",
            "  vmferry plugins",
            "  vmferry plugins --plugins /usr/lib/vmferry/plugins",
        })
final class PluginsCommand extends Action {
    private static final int LEFT_OUT = 3;

    @Option(names = "--json", description = "As one JSON object, for programs.")
    private boolean json;

    @Override
    void run() {
        interruption.close(); // nothing is left behind, also where standard output hangs
        if (json) out().println(Json.writePretty(tree()));
        else print();
    }

    @Override
    int status() {
        boolean all = plugins().rejected().isEmpty() && disputed().isEmpty();
        return all ? super.status() : LEFT_OUT;
    }

    /** Names of options that can't be set, in sentences. */
    private List<String> disputed() {
        return new OptionCatalog(plugins()).problems();
    }

    private void print() {
        for (PluginKind kind : PluginKind.values()) {
            for (Plugin plugin : plugins().all(kind)) {
                out().printf(
                                Locale.ROOT,
                                "%-12s  %-12s  %s%n",
                                kind.word(),
                                plugin.id(),
                                Printable.line(plugin.location()));
            }
        }
        List<String> wrong = new ArrayList<>();
        for (RejectedPlugin one : plugins().rejected()) wrong.add(one.sentence());
        wrong.addAll(disputed());
        if (!wrong.isEmpty()) out().println();
        for (String sentence : wrong) out().println(Printable.line(sentence));
        out().println();
        for (String place : plugins().places()) out().println("looked at " + place);
    }

    /** The names of these keys are a promise to scripts. */
    private Map<String, Object> tree() {
        List<Object> found = new ArrayList<>();
        for (Plugin plugin : plugins().all()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("kind", plugin.kind().name().toLowerCase(Locale.ROOT));
            one.put("id", plugin.id());
            one.put("location", plugin.location());
            found.add(one);
        }
        List<Object> rejected = new ArrayList<>();
        for (RejectedPlugin plugin : plugins().rejected()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("location", plugin.location());
            one.put("reason", plugin.sentence());
            rejected.add(one);
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("plugins", found);
        tree.put("rejected", rejected);
        tree.put("disputed", disputed());
        tree.put("places", List.copyOf(plugins().places()));
        return tree;
    }
}
