package org.vmferry.engine.migration;

import org.vmferry.engine.DowntimePart;
import org.vmferry.engine.stream.DeviceSections;
import org.vmferry.engine.stream.StreamOut;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.RamLayout;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.OutgoingFile;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** Into a file, which is whole under its name when all is done, or as it was. */
final class FileSave extends Save {
    private static final long STEP = 1 << 20;

    private final FileTransport files;

    FileSave(
            MigrationSession session,
            Migratable machine,
            Parts parts,
            FileTransport files,
            List<MigrationNotifier> notifiers)
            throws MigrationException {
        super(session, machine, parts, notifiers);
        this.files = files;
    }

    @Override
    boolean hasTrailer() {
        return true;
    }

    @Override
    void deliver(SourceGuest source, SourceStream everything, List<RamBlock> blocks, Stage stage)
            throws IOException {
        try (OutgoingFile end = files.outgoing(parts.address(), session.options())) {
            through(end);
            expect(end, everything.total(), blocks);
            pauseFirst(everything);
            write(end, everything, stage);
            end.complete();
            life.delivered();
            everything.over(DowntimePart.LINK);
        }
    }

    /** Asks for room for all of RAM; only if there is none, for what of it is not zero. */
    private void expect(OutgoingFile end, long total, List<RamBlock> blocks) throws IOException {
        try {
            end.expect(total);
        } catch (MigrationException e) {
            // A zero page is a record of a plain stream all the same.
            int page = parts.layout().placed() ? 0 : Wire.ZERO_BYTES;
            long needed = 0;
            for (RamBlock block : blocks)
                if (!block.missing()) needed += notZero(block) + block.pages() * page;
            end.expect(needed);
        }
    }

    private long notZero(RamBlock block) throws MigrationException {
        int size = block.pageSize();
        long bytes = 0;
        try (Arena arena = Arena.ofConfined()) {
            Optional<MemorySegment> memory = block.memory();
            MemorySegment copy = memory.isEmpty() ? arena.allocate(size) : null;
            for (long from = 0; from < block.usedLength(); from += STEP) {
                session.check();
                long to = Math.min(from + STEP, block.usedLength());
                if (block.isKnownZero(from, to - from)) continue;
                for (long offset = from; offset < to; offset += size) {
                    if (copy != null) block.read(offset, copy);
                    boolean zero =
                            copy == null
                                    ? ZeroPages.isZero(memory.get(), offset, size)
                                    : ZeroPages.isZero(copy, 0, size);
                    if (!zero) bytes += size;
                }
            }
        }
        return bytes;
    }

    private void write(OutgoingFile end, SourceStream everything, Stage stage) throws IOException {
        try (StreamOut out = new StreamOut(end);
                RamLayout.Saver saver = parts.layout().saver(session);
                PageCarrier.Sender sender =
                        parts.carrier().sender(parts.layout().placed(), FileSave::none, session)) {
            try {
                sender.connect();
                byte[] description = everything.write(out, saver, sender, null, stage);
                out.flush();
                life.commit();
                DeviceSections.end(out, description);
                everything.writeTrailer(out);
                out.flush();
                sender.finish();
            } catch (IOException | RuntimeException | Error e) {
                // Lets go the carrier's threads, so that its close() can join them.
                session.fail(e);
                throw e;
            }
        }
    }

    private static Channel none() {
        throw new IllegalStateException("a file is written through no channel");
    }
}
