package org.vmferry.it.faults.thousand;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What a guest in another process has executed: that process writes it into a file which is mapped
 * by both, so it outlives the process, however that ends.
 */
final class Pulse {
    private static final int SINCE = 0;
    private static final int NOW = 8;

    private final MappedByteBuffer numbers;

    /** In a file, which is made if it is not there. */
    Pulse(Path file) throws IOException {
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            numbers = channel.map(FileChannel.MapMode.READ_WRITE, 0, 16);
        }
        numbers.order(ByteOrder.nativeOrder());
    }

    /**
     * Writes it.
     *
     * @param since as in {@link Scene#since}
     * @param now instructions
     */
    void beat(long since, long now) {
        numbers.putLong(NOW, now);
        numbers.putLong(SINCE, since + 1); // a new file says that there was none
    }

    /** Whether the guest has executed since it was paused, or loaded. */
    boolean wentOn() {
        long since = numbers.getLong(SINCE) - 1;
        return since >= 0 && numbers.getLong(NOW) > since;
    }
}
