package org.vmferry.cli;

import org.vmferry.engine.Inspection;

import picocli.CommandLine.Command;

/** Checks a snapshot's structure. */
@Command(
        name = "verify",
        description = "Check the structure of a snapshot, all of it.",
        footer = {
            "",
            "The format has no checksums: whether a page holds what the guest wrote, nobody can"
                    + " tell.",
            "",
            "Example:",
            "  vmferry verify vm.snap && echo sound",
        })
final class VerifyCommand extends SnapshotAction {
    @Override
    void run() throws Exception {
        Snapshot snapshot = snapshot();
        Inspection inspection = inspect(snapshot);
        if (quiet) return;
        out().println(
                        Text.line(
                                "%s: sound: %s, machine %s, %s, %s"
                                        .formatted(
                                                snapshot.path(),
                                                Format.of(inspection).described(),
                                                inspection.machine(),
                                                Text.count(inspection.blocks().size(), "RAM block"),
                                                Text.count(
                                                        inspection.devices().size(), "device"))));
    }
}
