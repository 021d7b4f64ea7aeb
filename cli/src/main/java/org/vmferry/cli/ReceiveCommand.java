package org.vmferry.cli;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Path;

/** Is a migration's destination. */
@Command(
        name = "receive",
        description = "Be the destination of a migration, and keep what arrives as a snapshot.",
        footer = {
            "",
            "Example:",
            "  vmferry receive unix:/run/vm.migrate -o vm.snap",
        })
final class ReceiveCommand extends Action {
    @Parameters(index = "0", paramLabel = "URI", description = "Where to listen, in QEMU's spelling.")
    private String uri;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "FILE",
            description = "The snapshot, in mapped-ram; appears only when it is complete.")
    private Path output;

    @Mixin private OptionArguments options;

    @Override
    void run() throws Exception {
        var settings = options.settings();
        Engine engine = Engine.create();
        try (var archive = ArchiveMachine.in(NewFile.directory(output))) {
            Migration load = engine.receive(archive, uri, settings);
            remark("listening on " + load.address());
            follow(load, "receiving");
            save(engine, archive, output, Format.MAPPED_RAM);
        }
    }
}
