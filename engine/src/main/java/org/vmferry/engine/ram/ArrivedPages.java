package org.vmferry.engine.ram;

import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What has come of a destination's RAM: of which blocks anything, and of a fresh block, whose pages
 * are zero until they come, which pages (rule MFD-13). Any thread.
 */
public final class ArrivedPages {
    private final Set<String> blocks = ConcurrentHashMap.newKeySet();
    private final Map<String, PageBitmap> pages = new ConcurrentHashMap<>(); // of fresh blocks

    /** Nothing has. */
    public ArrivedPages() {}

    /** The block as a load is to see it: fresh, it knows which pages are still zero. */
    RamBlock of(RamBlock block) {
        if (!block.isFresh()) return block;
        PageBitmap arrived = PageBitmap.sparse(block.pages());
        pages.put(block.id(), arrived);
        return new ForwardingBlock(block) {
            @Override
            public boolean isKnownZero(long offset, long bytes) {
                return arrived.isClear(offset / pageSize(), bytes / pageSize())
                        || super.isKnownZero(offset, bytes);
            }
        };
    }

    /** Something of a block came. */
    public void came(RamBlock block) {
        blocks.add(block.id());
    }

    /** Whether anything of a block of that name came. */
    public boolean hasCome(String block) {
        return blocks.contains(block);
    }

    /** The content of pages comes. */
    public void arrives(Run run) {
        PageBitmap arrived = pages.get(run.block().id());
        if (arrived != null) arrived.fill(run.firstPage(), run.pages(), true);
    }
}
