package org.vmferry.mappedram;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.layout.FileOut;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** Lays the blocks out in the file; their pages are the movers', their bitmaps come last. */
final class MappedRamSaver implements FileLayout.Saver {
    private final Session session;
    private final Map<String, Area> areas = new LinkedHashMap<>();

    /** Nothing but holes follows where the first block begins: a page not written is zero. */
    private boolean onHoles;

    private final Supplier<OptionalLong> memory;
    private PositionedFile pages;
    private SaveMover mover;

    /** A save, which asks how many bytes of memory are available, if that is known. */
    MappedRamSaver(Session session, Supplier<OptionalLong> memory) {
        this.session = session;
        this.memory = memory;
    }

    @Override
    public void block(FileOut out, RamBlock block) throws IOException {
        long position = out.position();
        if (areas.isEmpty()) {
            // Not so on a block device, or in a file that nobody cut.
            PositionedFile file = out.file(false);
            onHoles = file.nextData(position) >= file.size();
        }
        MappedRamBlock place = place(block, position);
        if (areas.put(block.id(), new Area(block, place, new PageBitmap(block.pages()))) != null) {
            throw MigrationException.host(
                    "this machine has two RAM blocks of the name '%s'", block.id());
        }
        out.bytes(MemorySegment.ofArray(place.header().encode()));
        out.seek(place.end());
    }

    private static MappedRamBlock place(RamBlock block, long position) throws IOException {
        try {
            return new MappedRamBlock(
                    new BlockHeader(
                            block.id(), block.usedLength(), block.pageSize(), block.guestAddress()),
                    position,
                    MappedRamHeader.at(position, block.pages(), block.pageSize()));
        } catch (ArithmeticException e) {
            throw MigrationException.host(
                    "RAM block '%s' of %d bytes at %d does not fit into any file",
                    block.id(), block.usedLength(), position);
        }
    }

    @Override
    public void begin(FileOut out) throws IOException {
        pages = DirectIo.open(out, areas.values(), memory.get(), session);
        mover = new SaveMover(areas, pages, session);
    }

    @Override
    public boolean direct() {
        return pages.alignment() > 1;
    }

    @Override
    public void move(Run run, Staging staging) throws IOException {
        mover.move(run, staging);
    }

    @Override
    public void end(FileOut out) throws IOException {
        PositionedFile file = out.file(false);
        for (Area area : areas.values()) {
            session.check();
            new BlockContents(area.present(), onHoles).write(file, area.place());
        }
    }
}
