package org.vmferry.cli;

import org.vmferry.engine.Inspection;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.PageBitmap;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.stream.Collectors;

/** Takes one block's RAM out of a snapshot. */
@Command(
        name = "extract",
        description = "Write the RAM of one block into a file: raw, with holes for zero pages.",
        footer = {
            "",
            "Example:",
            "  vmferry extract vm.snap --block pc.ram -o ram.bin",
        })
final class ExtractCommand extends SnapshotAction {
    private static final long STEP = 8 << 20;

    @Option(
            names = "--block",
            required = true,
            paramLabel = "ID",
            description = "The block's name, as inspect shows it.")
    private String id;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "OUT",
            description = "The file; appears only when it is complete.")
    private Path output;

    @Override
    void run() throws Exception {
        Snapshot snapshot = snapshot();
        if (Files.exists(output) && Files.isSameFile(output, snapshot.path()))
            throw misuse("OUT is the snapshot itself");
        Inspection inspection = inspect(snapshot);
        Inspection.Block block =
                inspection.blocks().stream()
                        .filter(b -> b.id().equals(id))
                        .findFirst()
                        .orElseThrow(() -> noSuchBlock(inspection));
        try (NewFile file = NewFile.named(output)) {
            if (block.pagesPosition().isPresent())
                copy(snapshot, block, inspection.pageSize(), file.path());
            else unpack(snapshot, file.path());
            interruption.check();
            file.complete();
        }
        remark(
                "%s: %s, %s of them in pages that are not zero"
                        .formatted(
                                output,
                                Text.bytes(block.usedLength()),
                                Text.bytes(
                                        (double) block.present().cardinality()
                                                * inspection.pageSize())));
    }

    private MigrationException noSuchBlock(Inspection inspection) {
        return MigrationException.user(
                "there is no RAM block '%s' in it, but %s",
                id,
                inspection.blocks().stream()
                        .map(b -> "'" + b.id() + "'")
                        .collect(Collectors.joining(", ")));
    }

    /** From mapped-ram: reads nothing but the block's own pages. */
    private void copy(Snapshot snapshot, Inspection.Block block, int pageSize, Path to)
            throws IOException {
        PageBitmap present = block.present();
        long from = block.pagesPosition().getAsLong();
        long total = present.cardinality() * pageSize;
        long done = 0;
        try (FileChannel in = FileChannel.open(snapshot.path(), StandardOpenOption.READ);
                FileChannel out = FileChannel.open(to, StandardOpenOption.WRITE);
                Progress progress = progress("extracting " + id)) {
            Sparse.extend(out, block.usedLength());
            for (long page = present.nextSet(0); page < present.pages(); ) {
                long end = Math.min(present.nextClear(page), page + STEP / pageSize);
                interruption.check();
                long bytes = (end - page) * pageSize;
                Sparse.copy(in, from + page * pageSize, out, page * pageSize, bytes);
                done += bytes;
                progress.show(done, total);
                page = present.nextSet(end);
            }
        }
    }

    /** From a stream: its records have to be read all. */
    private void unpack(Snapshot snapshot, Path to) throws Exception {
        try (var archive = archive(NewFile.directory(to))) {
            read(engine(), snapshot, archive);
            Path raw = archive.file(id).orElseThrow();
            Files.move(
                    raw, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
