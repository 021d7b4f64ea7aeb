package org.vmferry.engine.transport;

import org.slf4j.Logger;
import org.vmferry.spi.Log;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much can be written where. It is asked for advice: where nobody knows, writing tells. */
final class Room {
    private static final Logger log = Log.of(LocalFileTransport.class);

    private static final int LEAST_BLOCK = 4096; // of today's disks

    private Room() {}

    /**
     * What transfers around the page cache are a multiple of.
     *
     * @return bytes
     */
    static int block(Path file) {
        try {
            return Math.toIntExact(Math.max(LEAST_BLOCK, Files.getFileStore(file).getBlockSize()));
        } catch (IOException | RuntimeException e) {
            log.debug("The blocks of '{}' can't be told", file, e);
            return LEAST_BLOCK;
        }
    }

    /**
     * In a folder.
     *
     * @return bytes; {@link Long#MAX_VALUE} if it can't be told
     */
    static long in(Path folder) {
        try {
            FileStore store = Files.getFileStore(folder);
            long usable = store.getUsableSpace();
            // Some have no size at all, as of a user's own programs (FUSE).
            return usable < 0 || store.getTotalSpace() == 0 ? Long.MAX_VALUE : usable;
        } catch (IOException | RuntimeException e) {
            log.debug("How much room is in '{}' can't be told", folder, e);
            return Long.MAX_VALUE;
        }
    }
}
