package org.vmferry.cli;

import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Printable;

import picocli.CommandLine.Command;

import java.util.ArrayList;
import java.util.List;

/** Checks a snapshot's structure. */
@Command(
        name = "verify",
        description = "Check the structure of a snapshot, all of it.",
        footer = {
            "",
            "The format has no checksums: whether a page holds what the guest wrote, nobody can"
                    + " tell.",
            "Exit status 0: sound and whole. 3: sound, but not whole: RAM is missing that its"
                    + " source left out as shared memory, or all of it, or the text that would say"
                    + " so is damaged. 1: not sound, or its devices can't be told apart.",
            "",
            "Example:",
            "  vmferry verify vm.snap && echo sound",
        })
final class VerifyCommand extends SnapshotAction {
    private static final int NOT_WHOLE = 3;

    private boolean whole;

    @Override
    void run(Snapshot snapshot) throws Exception {
        Inspection inspection = inspect(snapshot);
        interruption.close(); // nothing is left behind, also where standard output hangs
        boolean devicesOnly = inspection.blocks().isEmpty();
        if (inspection.lost().isPresent() && !devicesOnly) {
            throw MigrationException.peer(
                    "%s: not sound: %s", snapshot.path(), inspection.lost().get());
        }
        List<String> lacks = lacks(inspection);
        whole = lacks.isEmpty();
        if (quiet) return;
        out().println(
                        Printable.line(
                                "%s: sound: %s, machine %s, %s, %s"
                                        .formatted(
                                                snapshot.path(),
                                                Format.of(inspection).described(),
                                                inspection.machine().isEmpty()
                                                        ? "unknown"
                                                        : inspection.machine(),
                                                Text.count(inspection.blocks().size(), "RAM block"),
                                                Text.count(
                                                        inspection.devices().size(), "device"))));
        for (String lack : lacks)
            out().println(Printable.line(snapshot.path() + ": not whole: " + lack));
    }

    private static List<String> lacks(Inspection inspection) {
        List<String> lacks = new ArrayList<>();
        for (Inspection.Block block : inspection.blocks()) {
            if (!block.missing()) continue;
            lacks.add(
                    "the RAM of block '%s' (%s) is missing: %s"
                            .formatted(
                                    block.id(),
                                    Text.bytes(block.usedLength()),
                                    Text.why(block.content())));
        }
        inspection.damage().ifPresent(lacks::add);
        inspection.lost().ifPresent(lacks::add);
        return lacks;
    }

    @Override
    int status() {
        return whole ? super.status() : NOT_WHOLE;
    }
}
