package org.vmferry.engine.migration;

import org.vmferry.engine.ram.InlineOut;
import org.vmferry.engine.ram.PlacedOut;
import org.vmferry.engine.ram.RamOut;
import org.vmferry.engine.report.DowntimePart;
import org.vmferry.engine.stream.DeviceSections;
import org.vmferry.engine.stream.FileStreamOut;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.OutgoingFile;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Into a file, which is whole under its name when all is done, or as it was. */
final class FileSave extends Save {
    private final FileTransport files;
    private volatile PlacedOut placed; // null of a stream

    FileSave(MigrationSession session, Migratable machine, Route route, FileTransport files)
            throws MigrationException {
        super(session, machine, route);
        this.files = files;
    }

    @Override
    boolean hasTrailer() {
        return true;
    }

    @Override
    void deliver(SourceGuest source, SourceStream everything, List<RamBlock> blocks, Stage stage)
            throws IOException {
        try (OutgoingFile end = files.outgoing(route.address(), session.options())) {
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
            int page = route.layout().isPresent() ? 0 : Wire.ZERO_BYTES;
            long needed = 0;
            for (RamBlock block : blocks)
                if (!block.missing()) needed += notZero(block) + block.pages() * page;
            end.expect(needed);
        }
    }

    private long notZero(RamBlock block) throws MigrationException {
        long[] bytes = new long[1];
        ZeroPages.Extents<RuntimeException> counts =
                new ZeroPages.Extents<>() {
                    @Override
                    public void zeros(Run run) {}

                    @Override
                    public void others(Run run, MemorySegment content) {
                        bytes[0] += run.bytes();
                    }
                };
        int most = Staging.pages(block.pageSize());
        try (Staging staging = new Staging()) {
            for (long page = 0; page < block.pages(); page += most) {
                session.check();
                int pages = (int) Math.min(most, block.pages() - page);
                ZeroPages.divide(new Run(block, page, pages), staging, counts);
            }
        }
        return bytes[0];
    }

    private void write(OutgoingFile end, SourceStream everything, Stage stage) throws IOException {
        try (FileStreamOut out = new FileStreamOut(end);
                RamOut ram = ram(out)) {
            try {
                byte[] description = everything.write(out, ram, null, stage);
                out.flush();
                life.commit();
                DeviceSections.end(out, description);
                everything.writeTrailer(out);
                out.flush();
                ram.finish();
            } catch (IOException | RuntimeException | Error e) {
                // Lets go who hangs, so that close() can join the workers.
                session.fail(e);
                throw e;
            }
        }
    }

    private RamOut ram(FileStreamOut out) {
        if (route.layout().isEmpty()) return new InlineOut(out, session);
        int workers = route.fileWorkers(session.options());
        placed = new PlacedOut(out, session, route.layout().get().saver(session), workers);
        return placed;
    }

    @Override
    public boolean direct() {
        PlacedOut out = placed;
        return out != null && out.direct();
    }
}
