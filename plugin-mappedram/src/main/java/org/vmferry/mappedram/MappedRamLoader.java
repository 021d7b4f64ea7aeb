package org.vmferry.mappedram;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.FileIn;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads and checks the headers, then maps the blocks or has their pages fetched. */
final class MappedRamLoader implements FileLayout.Loader {
    private static final long END_OF_SECTION = 0x10;

    /** Of all blocks, as of one: what is kept of their bitmaps must fit, and be read in a while. */
    private static final long MOST_PAGES = 1L << 36;

    private final Session session;
    private final Map<String, MappedRamBlock> places = new LinkedHashMap<>();

    /** Blocks that have a place. */
    private final Map<String, Area> areas = new LinkedHashMap<>();

    /** Those whose pages are to be fetched: all that were not mapped. */
    private final List<Area> copied = new ArrayList<>();

    private long pages;
    private boolean direct;
    private LoadMover mover;

    MappedRamLoader(Session session) {
        this.session = session;
    }

    @Override
    public void block(FileIn in, BlockHeader header) throws IOException {
        MappedRamBlock place = MappedRamBlock.read(in, header);
        if (places.put(header.id(), place) != null) {
            throw MigrationException.peer(
                    "RAM block '%s' is announced a second time at %d",
                    header.id(), place.position());
        }
        if (!place.absent()) pages += place.pages(); // each has that many at the most
        if (pages > MOST_PAGES) {
            throw MigrationException.peer(
                    "the RAM blocks up to '%s' at %d have %d pages, allowed are %d",
                    header.id(), place.position(), pages, MOST_PAGES);
        }
    }

    @Override
    public OptionalLong pageSize(ByteBuffer ahead) {
        if (ahead.remaining() < MappedRamHeader.BYTES) return OptionalLong.empty();
        return OptionalLong.of(MappedRamHeader.decode(MemorySegment.ofBuffer(ahead)).pageSize());
    }

    @Override
    public void open(FileIn in, RamTarget target) throws IOException {
        // All of the file's say, START's end mark too, is read before the target is asked for
        // anything: a file cut short changes nothing.
        endMark(in);
        PositionedFile buffered = in.file(false);
        List<BlockContents> contents = new ArrayList<>();
        for (MappedRamBlock place : places.values()) {
            session.check();
            contents.add(place.absent() ? null : place.contents(buffered));
        }
        direct = session.options().get(MappedRamOptions.DIRECT_IO);
        PositionedFile file = in.file(direct);

        BlockMapper mapper = new BlockMapper(buffered, target, session);
        int index = 0;
        for (MappedRamBlock place : places.values()) {
            BlockContents content = contents.get(index++);
            if (content == null) {
                check(place, target.open(place.block()));
                continue;
            }
            Optional<RamBlock> mapped = mapper.map(place, content);
            RamBlock block = mapped.isPresent() ? mapped.get() : target.open(place.block());
            check(place, block);
            Area area = new Area(block, place, content.present());
            areas.put(block.id(), area);
            if (mapped.isPresent()) continue;
            Area.checkAlignment(block, file);
            copied.add(area);
        }
        mover = new LoadMover(areas, file, session);
    }

    @Override
    public Optional<FileLayout.Place> place(RamBlock block) {
        return Optional.ofNullable(areas.get(block.id())).map(Area::told);
    }

    private static void check(MappedRamBlock place, RamBlock block) throws MigrationException {
        BlockHeader header = place.block();
        if (block.id().equals(header.id())
                && block.usedLength() == header.usedLength()
                && block.pageSize() == header.pageSize()) return;
        throw MigrationException.host(
                "the host opened RAM block '%s' of %d bytes in pages of %d, asked was for '%s' of"
                        + " %d in pages of %d",
                block.id(),
                block.usedLength(),
                block.pageSize(),
                header.id(),
                header.usedLength(),
                header.pageSize());
    }

    @Override
    public void pages(Fetch fetch) throws IOException {
        try (Staging staging = new Staging()) {
            for (Area area : copied) pages(area, fetch, staging);
        }
    }

    @Override
    public void move(Run run, Staging staging) throws IOException {
        mover.move(run, staging);
    }

    @Override
    public void section(FileIn in) throws IOException {
        endMark(in);
    }

    private static void endMark(FileIn in) throws IOException {
        long position = in.position();
        long mark = in.u64();
        if (mark != END_OF_SECTION) {
            throw MigrationException.peer(
                    "record 0x%x%s in the ram section at %d: with mapped-ram only the end mark 0x10"
                            + " may stand there",
                    mark, names(mark), position);
        }
    }

    private static String names(long record) {
        String[] names = {
            "OLD",
            "ZERO",
            "MEM_SIZE",
            "PAGE",
            "EOS",
            "CONTINUE",
            "XBZRLE",
            "HOOK",
            "COMPRESSED",
            "MULTIFD_FLUSH"
        };
        List<String> set = new ArrayList<>();
        for (int bit = 0; bit < names.length; bit++)
            if ((record >>> bit & 1) != 0) set.add(names[bit]);
        return set.isEmpty() ? "" : " (" + String.join(", ", set) + ")";
    }

    /**
     * Set bits are fetched, by whoever moves the pages; meanwhile all others are made zero here.
     */
    private void pages(Area area, Fetch fetch, Staging staging) throws IOException {
        RamBlock block = area.ram();
        PageBitmap present = area.present();
        long pages = present.pages();
        int most = Staging.pages(block.pageSize());
        int bridge = direct ? SaveMover.BRIDGE / block.pageSize() : 0;
        for (long page = 0; page < pages; ) {
            session.check();
            long first = present.nextSet(page);
            long size = block.pageSize();
            if (block.isKnownZero(page * size, (first - page) * size)) page = first;
            for (; page < first; page += Math.min(most, first - page)) {
                session.check();
                int clear = (int) Math.min(most, first - page);
                ZeroPages.clear(new Run(block, page, clear), staging);
            }
            if (first == pages) break;
            long limit = Math.min(pages, first + most);
            page = Math.min(limit, present.nextClear(first));
            for (long next = present.nextSet(page);
                    next < limit && next - page <= bridge;
                    next = present.nextSet(page)) {
                page = Math.min(limit, present.nextClear(next));
            }
            fetch.fetch(new Run(block, first, (int) (page - first)));
        }
        session.counters().zeroPages(pages - present.cardinality());
    }
}
