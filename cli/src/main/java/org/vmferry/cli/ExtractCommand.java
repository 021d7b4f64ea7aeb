package org.vmferry.cli;

import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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
    private static final int STEP = 8 << 20;

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
            description = "The file; appears only when it is complete. Or a block device.")
    private Path output;

    @Option(
            names = "--rescue",
            description = {
                "Of a mapped-ram file that doesn't tell which pages are in it, as"
                        + " background-snapshot leaves it: take what the file has data for.",
            })
    private boolean rescue;

    @Mixin private ScratchOption scratch;

    @Override
    void run(Snapshot snapshot) throws Exception {
        if (snapshot.isOnce()) {
            passing(snapshot);
            return;
        }
        if (snapshot.isAlso(output)) throw misuse("OUT is the snapshot itself");
        Inspection inspection = inspect(snapshot);
        Inspection.Block block =
                inspection.blocks().stream()
                        .filter(b -> b.id().equals(id))
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        noSuchBlock(
                                                inspection.blocks().stream()
                                                        .map(Inspection.Block::id)
                                                        .toList(),
                                                inspection.lost()));
        check(snapshot, inspection, block);
        if (rescue) block = rescued(snapshot, block, inspection.pageSize());
        try (OutgoingFile out = place(output)) {
            out.expect(
                    isDevice()
                            ? block.usedLength()
                            : block.present().cardinality() * inspection.pageSize());
            PositionedFile to = out.file(false);
            clear(to, block.usedLength());
            if (block.pagesPosition().isPresent()) copy(snapshot, block, inspection.pageSize(), to);
            else unpack(snapshot, inspection, to);
            complete(out);
        }
        remark(
                "%s: %s, %s of them in pages that are not zero"
                        .formatted(
                                output,
                                Text.bytes(block.usedLength()),
                                Text.bytes(
                                        (double) block.present().cardinality()
                                                * inspection.pageSize())));
        if (rescue) {
            remark(
                    "rescued: these are the pages that the file has data for. What it has none for"
                            + " was taken for zeros: right if the save came to its end, and the"
                            + " file was never copied by what forgets holes; nothing in it can"
                            + " prove that");
        } else {
            inspection.lost().ifPresent(lost -> remark("RAM only: " + lost));
        }
        for (Inspection.Range range : block.guest()) remark(output + ": " + Text.range(range));
    }

    /** Out of a pipe, that is read once: what is in it shows as it comes. */
    private void passing(Snapshot snapshot) throws Exception {
        if (rescue) throw tells();
        try (OutgoingFile out = place(output);
                var archive = archive(scratch.beside(output))) {
            archive.takeLosses();
            archive.keep(
                    id,
                    header -> {
                        if (isDevice()) out.expect(header.usedLength());
                        PositionedFile to = out.file(false);
                        clear(to, header.usedLength());
                        return to;
                    });
            read(engine(), snapshot, archive);
            List<RamBlock> blocks = archive.ram().blocks();
            RamBlock block =
                    blocks.stream()
                            .filter(b -> b.id().equals(id))
                            .findFirst()
                            .orElseThrow(
                                    () ->
                                            noSuchBlock(
                                                    blocks.stream().map(RamBlock::id).toList(),
                                                    archive.lost()));
            if (block.missing()) throw leftOut(snapshot);
            complete(out);
            remark(output + ": " + Text.bytes(block.usedLength()));
            archive.lost().ifPresent(lost -> remark("RAM only: " + lost));
        }
    }

    /** A device has no holes. */
    private boolean isDevice() {
        return Files.exists(output) && !Files.isRegularFile(output);
    }

    private MigrationException leftOut(Snapshot snapshot) {
        return MigrationException.user(
                "the RAM of block '%s' is not in %s: its source left it out as shared memory",
                id, snapshot.path());
    }

    private MigrationException tells() {
        return MigrationException.user(
                "the file tells which pages of block '%s' it has: extract it without --rescue", id);
    }

    /** Whether it can be had, and needs to be rescued. */
    private void check(Snapshot snapshot, Inspection inspection, Inspection.Block block)
            throws MigrationException {
        switch (block.content()) {
            case LEFT_OUT -> throw leftOut(snapshot);
            case UNTOLD -> {
                if (rescue) return;
                throw MigrationException.user(
                        "the RAM of block '%s' can't be told from what is not in %s: %s. --rescue"
                                + " takes what the file has data for",
                        id,
                        snapshot.path(),
                        inspection.lost().or(inspection::damage).orElse("its RAM has no end"));
            }
            case WHOLE -> {
                if (rescue) throw tells();
            }
        }
    }

    /** With those pages that the file has data for. */
    private Inspection.Block rescued(Snapshot snapshot, Inspection.Block block, int pageSize)
            throws Exception {
        PositionedFile file = snapshot.file();
        long from = block.pagesPosition().getAsLong();
        PageBitmap data = new PageBitmap(block.usedLength() / pageSize);
        long size = file.size();
        for (long page = 0; page < data.pages(); page++) {
            if ((page & 1023) == 0) interruption.check();
            long at = from + page * pageSize;
            if (at + pageSize > size) break; // a hole at the file's end
            long next = file.nextData(at);
            page += Math.max(0, next - at) / pageSize;
            if (page < data.pages() && from + (page + 1) * pageSize <= size) data.set(page);
        }
        return new Inspection.Block(
                id,
                block.usedLength(),
                data,
                Inspection.Content.WHOLE,
                block.bitmapPosition(),
                block.pagesPosition(),
                block.guest());
    }

    private MigrationException noSuchBlock(List<String> blocks, Optional<String> lost) {
        if (blocks.isEmpty()) {
            return MigrationException.user(
                    "there is no RAM block in it%s", lost.map(why -> ": " + why).orElse(""));
        }
        return MigrationException.user(
                "there is no RAM block '%s' in it, but %s",
                id, blocks.stream().map(b -> "'" + b + "'").collect(Collectors.joining(", ")));
    }

    /** A device keeps what stood there before, until somebody writes over it. */
    private void clear(PositionedFile out, long length) throws IOException {
        long end = Math.min(out.size(), length);
        if (end == 0) return; // a new file
        try (Arena arena = Arena.ofConfined();
                Progress progress = progress("clearing " + output.getFileName())) {
            MemorySegment step = arena.allocate(STEP, 8);
            for (long at = 0; at < end; at += STEP) {
                interruption.check();
                int bytes = (int) Math.min(STEP, end - at);
                out.read(step.asByteBuffer().limit(bytes), at);
                if (!ZeroPages.isZero(step, 0, bytes))
                    out.write(step.fill((byte) 0).asByteBuffer().limit(bytes), at);
                progress.show(at + bytes, end);
            }
        }
    }

    /** From mapped-ram: reads nothing but the block's own pages. */
    private void copy(Snapshot snapshot, Inspection.Block block, int pageSize, PositionedFile out)
            throws IOException {
        PageBitmap present = block.present();
        long from = block.pagesPosition().getAsLong();
        long total = present.cardinality() * pageSize;
        long done = 0;
        try (Arena arena = Arena.ofConfined();
                Progress progress = progress("extracting " + id)) {
            ByteBuffer buffer = arena.allocate(Math.max(STEP, pageSize)).asByteBuffer();
            PositionedFile file = snapshot.file();
            out.resize(block.usedLength());
            for (long page = present.nextSet(0); page < present.pages(); ) {
                long end = Math.min(present.nextClear(page), page + buffer.capacity() / pageSize);
                interruption.check();
                buffer.clear().limit(Math.toIntExact((end - page) * pageSize));
                if (file.read(buffer, from + page * pageSize) < buffer.limit())
                    throw new EOFException("the file was cut short at page " + page);
                done += buffer.limit();
                out.write(buffer.flip(), page * pageSize);
                progress.show(done, total);
                page = present.nextSet(end);
            }
        }
    }

    /** From a stream: its records have to be read all. */
    private void unpack(Snapshot snapshot, Inspection inspection, PositionedFile out)
            throws Exception {
        try (var archive = archive(scratch.beside(output))) {
            archive.keep(id, header -> out);
            if (inspection.lost().isPresent()) archive.takeLosses();
            read(engine(), snapshot, archive);
        }
    }
}
