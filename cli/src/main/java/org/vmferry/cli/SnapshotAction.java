package org.vmferry.cli;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.MigrationException;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Predicate;

/** What all commands have that read a snapshot. */
abstract class SnapshotAction extends Action {
    @Parameters(
            index = "0",
            paramLabel = "FILE",
            description = "The snapshot: a file or a block device; - for standard input.")
    private Path file;

    @Option(
            names = "--offset",
            paramLabel = "N",
            converter = Bytes.class,
            description = "Where in FILE the stream begins; takes k, M, G.")
    private long offset;

    @Option(
            names = "--page-size",
            paramLabel = "N",
            converter = Bytes.class,
            description =
                    "Bytes in a page of the machine's target, where neither FILE nor the machine's"
                            + " name tells; takes k.")
    private long pageSize;

    @Override
    final void run() throws Exception {
        check();
        try (Snapshot snapshot = ready(open())) {
            use(snapshot.transport());
            if (snapshot.isOnce() && isPlaced(snapshot))
                snapshot.needsAFile("a mapped-ram snapshot's pages have their places");
            try {
                run(snapshot);
            } catch (MigrationException e) {
                throw explained(e, snapshot);
            }
            snapshot.rest().ifPresent(this::remark);
        }
    }

    /** What ends too early may go on behind something that is none of it. */
    private static MigrationException explained(MigrationException e, Snapshot snapshot) {
        return snapshot.rest()
                .map(rest -> new MigrationException(e.blame(), e.getMessage() + "; " + rest, e))
                .orElse(e);
    }

    private Snapshot open() throws IOException {
        return file.equals(StandardInput.TYPED)
                ? StandardInput.open(offset, interruption::cancelBy)
                : Snapshot.open(file, offset);
    }

    /** What {@link #run} gets in place of what was opened, which is closed unless it is that. */
    Snapshot ready(Snapshot opened) throws Exception {
        return opened;
    }

    private boolean isPlaced(Snapshot snapshot) throws IOException {
        return Format.of(engine().capabilities(snapshot.uri())) == Format.MAPPED_RAM;
    }

    /** Whether what was typed makes sense: asked before the file is opened. */
    void check() throws Exception {}

    /** Does the work with the file. */
    abstract void run(Snapshot snapshot) throws Exception;

    /** Reads all of its structure and checks it. */
    final Inspection inspect(Snapshot snapshot) throws IOException {
        return inspect(snapshot, device -> false);
    }

    /** As above, and keeps what is in some devices' sections. */
    final Inspection inspect(Snapshot snapshot, Predicate<Inspection.Device> wanted)
            throws IOException {
        return engine().inspect(snapshot.uri(), asked(), interruption::cancelBy, wanted);
    }

    /** Loads the snapshot into an archive, with the capabilities that it was written with. */
    final void read(Engine engine, Snapshot snapshot, ArchiveMachine archive)
            throws IOException, InterruptedException {
        read(engine, snapshot, archive, () -> present(inspect(snapshot)));
    }

    /** As above, where it is known how many bytes of RAM are present. */
    final void read(Engine engine, Snapshot snapshot, ArchiveMachine archive, Present present)
            throws IOException, InterruptedException {
        Set<String> capabilities = engine.capabilities(snapshot.uri());
        Settings settings = asked();
        for (String name : capabilities) settings = settings.capability(name);
        // A device is longer than what is on it, and how much is to come nobody knows.
        boolean sized = Format.of(capabilities) == Format.STREAM && snapshot.isFile();
        // To unpack it twice takes longer than to find out that there is no room.
        if (!snapshot.isOnce() && snapshot.packed().isEmpty())
            archive.expect(sized ? snapshot.file().size() - snapshot.offset() : present.bytes());
        follow(
                engine.receive(archive, snapshot.uri(), settings),
                "reading " + snapshot.path().getFileName());
    }

    private Settings asked() {
        return pageSize == 0
                ? Settings.NONE
                : Settings.NONE.parameter("page-size", Long.toString(pageSize));
    }

    /** How many bytes of RAM are in pages that are present. */
    interface Present {
        long bytes() throws IOException;
    }

    static long present(Inspection inspection) {
        long pages = 0;
        for (Inspection.Block block : inspection.blocks()) pages += block.present().cardinality();
        return pages * inspection.pageSize();
    }

    /** An amount of bytes on the command line. */
    static final class Bytes implements ITypeConverter<Long> {
        @Override
        public Long convert(String text) {
            try {
                return Text.parseBytes(text);
            } catch (NumberFormatException e) {
                throw new TypeConversionException(
                        "'" + text + "' is no amount of bytes: takes a number, with k, M, G or T");
            }
        }
    }
}
