package org.vmferry.engine.ram;

import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/** Asks what is still to be read of the RAM section how large a page is. Nothing is read. */
public final class PageSizeSearch {
    private static final int LAYOUT_PART = 64;

    private PageSizeSearch() {}

    /**
     * What the layout's part of the first block's announcement says.
     *
     * @param in about to read START's block list
     * @return bytes, not checked; empty if it says nothing
     */
    public static OptionalLong header(StreamIn in, Session session, PlacedIn ram)
            throws IOException {
        int before = 2 * Long.BYTES + 1;
        if (session.options().get(EngineOptions.X_IGNORE_SHARED)) before += Long.BYTES;
        ByteBuffer bytes = in.ahead(before + 255 + LAYOUT_PART);
        if (bytes.limit() <= before) return OptionalLong.empty();
        int at = before + (bytes.get(Long.BYTES) & 0xff);
        if (at > bytes.limit()) return OptionalLong.empty();
        return ram.pageSize(bytes.slice(at, Math.min(LAYOUT_PART, bytes.limit() - at)));
    }

    /**
     * The names of the blocks that START announces.
     *
     * @param in about to read START's block list, of a layout without a part of its own there
     */
    public static Set<String> blockNames(StreamIn in, Session session) throws IOException {
        return walk(in, session).blockNames();
    }

    /**
     * What RAM's records say.
     *
     * @param in about to read START's block list
     * @return the one size that they make sense with; empty if they do with several; 0 if with none
     */
    public static OptionalInt records(StreamIn in, Session session) throws IOException {
        return walk(in, session).only();
    }

    private static RecordWalk walk(StreamIn in, Session session) {
        return new RecordWalk(
                in,
                session.options().get(EngineOptions.X_IGNORE_SHARED),
                session.options().get(EngineOptions.EOF_SILENCE));
    }
}
