package org.vmferry.engine.stream;

import org.vmferry.spi.ram.PageBitmap;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** Whether the records of RAM's sections bring no page twice. */
final class EachPageOnce {
    private final Window window;
    private final int pageSize;
    private final Map<String, PageBitmap> came = new HashMap<>();
    private PageBitmap block; // of the record before, also across sections (rule RAM-4)

    EachPageOnce(Window window, Readings.Ram ram, int pageSize) {
        this.window = window;
        this.pageSize = pageSize;
        ram.blocks().forEach((name, pages) -> came.put(name, PageBitmap.sparse(pages)));
    }

    /**
     * Takes a section's pages.
     *
     * @param section its records were found to be well-formed
     * @return false if one came before, lies in no block, or is not whole
     */
    boolean add(Readings.Step section) throws IOException {
        long at = section.start() + 5;
        if (window.has(section.start(), 1) && window.u8(section.start()) == Wire.START) {
            at = section.ram().records();
        }
        while (window.has(at, Long.BYTES)) {
            long word = window.u64(at);
            if (word == Wire.EOS) return true;
            int flags = (int) (word & Math.min(0x3ff, pageSize - 1));
            long page = (word - flags) / pageSize;
            at += Long.BYTES;
            if ((flags & Wire.CONTINUE) == 0) {
                if (!window.has(at, 1) || !window.has(at, 1 + window.u8(at))) return false;
                int length = window.u8(at);
                byte[] name = window.copy(at + 1, length);
                block = came.get(new String(name, StandardCharsets.UTF_8));
                at += 1 + length;
            }
            int kind = flags & ~Wire.CONTINUE;
            if (kind != Wire.ZERO && kind != Wire.PAGE) return false; // a change of one that came
            if (block == null || page < 0 || page >= block.pages() || block.get(page)) return false;
            block.set(page);
            at += kind == Wire.ZERO ? 1 : pageSize;
        }
        return false;
    }
}
