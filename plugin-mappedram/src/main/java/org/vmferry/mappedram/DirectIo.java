package org.vmferry.mappedram;

import org.slf4j.Logger;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.FileOut;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.util.Collection;
import java.util.OptionalLong;

/**
 * Whether a save goes around the page cache: as {@code direct-io} says, or, where nobody has said
 * anything, by itself if it would push out of memory what others have there (rule MAP-19).
 */
final class DirectIo {
    private static final Logger LOG = Log.of(DirectIo.class);

    private DirectIo() {}

    /**
     * The file, opened the one way or the other.
     *
     * @param available bytes of memory that can be had without swapping, if that is known
     * @return aligned to more than a byte if it goes around the page cache
     * @throws IOException if it can't be opened as somebody asked
     */
    static PositionedFile open(
            FileOut out, Collection<Area> areas, OptionalLong available, Session session)
            throws IOException {
        if (session.options().isSet(MappedRamOptions.DIRECT_IO))
            return fitting(out, session.options().get(MappedRamOptions.DIRECT_IO), areas);
        if (available.isEmpty()) return out.file(false);
        long memory = available.getAsLong();
        if (!pays(toWrite(areas, memory), memory)) return out.file(false);
        try {
            PositionedFile file = fitting(out, true, areas);
            LOG.info(
                    "{}: direct-io, for more may be written than half of the {} bytes of memory"
                            + " that are available",
                    session.name(),
                    memory);
            return new DirectUnlessRefused(file, out.file(false), session);
        } catch (MigrationException e) {
            session.check();
            LOG.info(
                    "{}: no direct-io, though more may be written than half of the {} bytes of"
                            + " memory that are available: {}",
                    session.name(),
                    memory,
                    e.getMessage());
            return out.file(false);
        }
    }

    /**
     * Whether bytes that go through the page cache take too much of it.
     *
     * @param bytes that are to be written
     * @param available bytes of memory, of which the page cache may take any
     */
    static boolean pays(long bytes, long available) {
        return bytes > available / 2;
    }

    /** What is to be written, as far as that can be told without a look; or enough of it. */
    private static long toWrite(Collection<Area> areas, long memory) {
        long bytes = 0;
        for (Area area : areas) bytes += toWrite(area.ram(), 0, area.ram().pages(), memory - bytes);
        return bytes;
    }

    private static long toWrite(RamBlock block, long first, long pages, long enough) {
        long bytes = pages * block.pageSize();
        if (enough < 0 || block.isKnownZero(first * block.pageSize(), bytes)) return 0;
        if (pages <= Staging.pages(block.pageSize())) return bytes;
        long half = toWrite(block, first, pages / 2, enough);
        return half + toWrite(block, first + pages / 2, pages - pages / 2, enough - half);
    }

    private static PositionedFile fitting(FileOut out, boolean direct, Collection<Area> areas)
            throws IOException {
        PositionedFile file = out.file(direct);
        for (Area area : areas) Area.checkAlignment(area.ram(), file);
        return file;
    }
}
