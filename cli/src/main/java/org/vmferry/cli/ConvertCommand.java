package org.vmferry.cli;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Statistics;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Files;
import java.nio.file.Path;

/** Writes a snapshot in the other format, or in the same one anew. */
@Command(
        name = "convert",
        description = {
            "Write a snapshot anew, in a format of choice.",
            "RAM, devices and description are the same, byte for byte.",
        },
        footer = {
            "",
            "Examples:",
            "  vmferry convert vm.stream vm.snap --format mapped-ram",
            "  vmferry convert web.save web.stream --format stream",
        })
final class ConvertCommand extends SnapshotAction {
    @Parameters(
            index = "1",
            paramLabel = "OUT",
            description = "The new file; appears only when it is complete. Or a block device.")
    private Path output;

    @Option(
            names = "--format",
            required = true,
            paramLabel = "FORMAT",
            description = "One of: ${COMPLETION-CANDIDATES}.")
    private Format format;

    @Mixin private ScratchOption scratch;
    @Mixin private UuidOption uuid;

    @Override
    void run(Snapshot snapshot) throws Exception {
        Engine engine = engine();
        if (!Files.isRegularFile(output) && snapshot.isAlso(output))
            throw misuse("OUT is the snapshot itself, and no file that a new one could replace");
        place(output).close();
        try (var archive = archive(scratch.beside(output))) {
            read(engine, snapshot, archive);
            uuid.tell(archive);
            Statistics written =
                    follow(
                            engine.send(archive, Snapshot.uri(output, 0), format.settings(archive)),
                            "writing " + output.getFileName());
            remark(output + ": " + format.described() + way(written));
            remarkMissing(output, archive);
        }
    }
}
