package org.vmferry.cli;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.Statistics;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.DowntimePart;
import org.vmferry.spi.MigrationException;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Is a migration's source. */
@Command(
        name = "send",
        description = "Bring a snapshot to a waiting destination, as the source of a migration.",
        footer = {
            "",
            "Example, to a QEMU that was started with -incoming defer:",
            "  vmferry send vm.snap unix:/run/vm.migrate",
        })
final class SendCommand extends SnapshotAction {
    @Parameters(index = "1", paramLabel = "URI", description = "Where to, in QEMU's spelling.")
    private String uri;

    @Mixin private OptionArguments options;
    @Mixin private ScratchOption scratch;
    @Mixin private UuidOption uuid;
    @Mixin private AllowOption allow;

    private Settings settings;

    @Override
    void check() throws Exception {
        settings = options.settings();
        allow.check(uri);
    }

    @Override
    void run(Snapshot snapshot) throws Exception {
        Engine engine = engine();
        try (var archive = archive(scratch.folder())) {
            read(engine, snapshot, archive);
            uuid.tell(archive);
            Migration save = engine.send(archive, uri, settings);
            Statistics sent;
            try {
                sent = follow(save, "sending to " + uri);
            } catch (MigrationException e) {
                throw archive.hasUuid() ? e : UuidOption.explained(e, engine, settings);
            } finally {
                remark(save.owner().sentence());
                save.cancel(); // it may still listen: not for who is gone
            }
            remark(
                    "%s sent to %s: %s in %.1f s%s"
                            .formatted(
                                    snapshot.path(),
                                    uri,
                                    Text.bytes(sent.transferred()),
                                    sent.totalTime() / 1000.0,
                                    way(sent)));
            if (!sent.downtimeParts().isEmpty()) {
                remark(
                        "the guest stood still for %d ms: %s"
                                .formatted(
                                        sent.downtime(), DowntimePart.list(sent.downtimeParts())));
            }
        }
    }
}
