package org.vmferry.cli;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.OutgoingFile;

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
    /** Room that is held from the beginning, in bytes: a quota that is full shows at once. */
    private static final long FIRST = 1 << 20;

    @Parameters(
            index = "0",
            paramLabel = "URI",
            description = "Where to listen, in QEMU's spelling.")
    private String uri;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "FILE",
            description =
                    "The snapshot, in mapped-ram, or as a stream if its source left RAM out;"
                            + " appears only when it is complete. Or a block device.")
    private Path output;

    @Option(
            names = "--page-size",
            paramLabel = "N",
            converter = SnapshotAction.Bytes.class,
            description =
                    "Bytes in a page of the machine's target, where neither its stream nor its"
                            + " name tells; takes k.")
    private long pageSize;

    @Mixin private OptionArguments options;
    @Mixin private ScratchOption scratch;
    @Mixin private UuidOption uuid;
    @Mixin private AllowOption allow;

    private volatile Migration saving;

    @Override
    void run() throws Exception {
        Settings settings = options.settings();
        if (pageSize != 0) settings = settings.parameter("page-size", Long.toString(pageSize));
        allow.check(uri);
        Engine engine = engine();
        // A source without a return path has given its guest up by the time it is written.
        try (OutgoingFile place = place(output);
                var archive = archive(scratch.beside(output))) {
            place.reserve(FIRST);
            uuid.tell(archive);
            archive.growWith(place::reserve);
            archive.whenWhole(
                    () -> {
                        place.close(); // the room is wanted now
                        save(engine, archive);
                    });
            Migration load = engine.receive(archive, uri, settings);
            try {
                remark("listening on " + load.address());
                watch(load, "receiving", () -> saving != null);
                if (saving != null) follow(saving, "writing " + output.getFileName());
            } finally {
                // It still uses the archive. What Ctrl-C is to end it was told by now.
                show(load, "receiving", () -> false);
                remark(load.owner().sentence());
            }
            load.await();
            remark(output + ": " + Format.of(archive).described() + way(saving.statistics()));
            remarkMissing(output, archive);
        }
    }

    /** On the load's thread, so that a source with a return path keeps its guest if this fails. */
    private void save(Engine engine, ArchiveMachine archive) throws MigrationException {
        Format format = Format.of(archive);
        saving = engine.send(archive, Snapshot.uri(output, 0), format.settings(archive));
        try {
            saving.await();
        } catch (InterruptedException e) {
            throw new MigrationException(Blame.HOST, "interrupted while writing " + output, e);
        }
    }
}
