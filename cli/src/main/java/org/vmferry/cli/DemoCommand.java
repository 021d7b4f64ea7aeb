package org.vmferry.cli;

import org.vmferry.cli.demo.Demo;
import org.vmferry.engine.json.Json;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Shows that it works, on this very machine. */
@Command(
        name = "demo",
        description = {
            "Make a small machine, save it, look into the snapshot, restore it by copying and by"
                    + " mapping, and compare.",
            "Takes about 70 MB of temporary disk space.",
        },
        footer = {
            "",
            "Examples:",
            "  vmferry demo",
            "  vmferry demo --json",
            "  vmferry demo --keep vm.snap"
        })
final class DemoCommand extends Action {
    @Option(names = "--json", description = "As one JSON object, for programs.")
    private boolean json;

    @Option(
            names = "--keep",
            paramLabel = "FILE",
            description = "Keep the snapshot that it makes, to try other commands on.")
    private Path keep;

    @Override
    void run() throws Exception {
        Path directory = Files.createTempDirectory("vmferry-demo-");
        Demo.Result result;
        Snapshot snapshot;
        try {
            result = Demo.run(directory);
            snapshot = Snapshot.open(directory.resolve("demo.snap"), 0);
            if (keep != null) keep(snapshot.path());
        } finally {
            remove(directory);
        }
        if (json) out().println(Json.writePretty(tree(snapshot, result)));
        else print(snapshot, result);
    }

    private void keep(Path snapshot) throws IOException {
        try (NewFile file = NewFile.named(keep)) {
            Files.copy(snapshot, file.path(), StandardCopyOption.REPLACE_EXISTING);
            file.complete();
        }
    }

    private static void remove(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) Files.delete(file);
        }
        Files.delete(directory);
    }

    private void print(Snapshot snapshot, Demo.Result result) {
        InspectCommand.print(out(), System.out.charset(), snapshot, result.inspection());
        out().println();
        line("saved", "%.1f ms", result.saveMs());
        line("restored by copying", "%.1f ms", result.restoreMs());
        line("restored by mapping", "%.1f ms", result.mapMs());
        result.checksums()
                .forEach(
                        (id, sum) ->
                                line("same RAM, all three times", "%s, CRC-32C %08x", id, sum));
        line("same devices", "%s", result.devices());
    }

    private void line(String what, String format, Object... values) {
        out().printf(Locale.ROOT, "%-26s %s%n", what, String.format(Locale.ROOT, format, values));
    }

    private static Map<String, Object> tree(Snapshot snapshot, Demo.Result result) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("snapshot", InspectCommand.tree(snapshot, result.inspection()));
        tree.put("snapshotBytes", result.snapshotBytes());
        tree.put("saveMs", result.saveMs());
        tree.put("restoreMs", result.restoreMs());
        tree.put("mapMs", result.mapMs());
        tree.put("crc32c", result.checksums());
        tree.put("devices", result.devices());
        tree.put("same", true);
        return tree;
    }
}
