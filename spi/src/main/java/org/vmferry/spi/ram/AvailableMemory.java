package org.vmferry.spi.ram;

import org.slf4j.Logger;
import org.vmferry.spi.Log;
import org.vmferry.spi.Status;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** What Linux says of the machine's memory, for who must choose by it. */
@Status(Status.Level.EXPERIMENTAL)
public final class AvailableMemory {
    private static final Logger LOG = Log.of(AvailableMemory.class);
    private static final Path FILE = Path.of("/proc/meminfo");
    private static final String AVAILABLE = "MemAvailable:", UNIT = " kB";

    private AvailableMemory() {}

    /**
     * How much can be had without swapping: the page cache may take any of it.
     *
     * @return bytes; empty where no Linux says so
     */
    public static OptionalLong bytes() {
        try {
            return in(Files.readAllLines(FILE));
        } catch (IOException | SecurityException e) {
            LOG.debug("{} can't be read", FILE, e);
            return OptionalLong.empty();
        }
    }

    /** The same, of the file's lines. */
    static OptionalLong in(List<String> lines) {
        for (String line : lines) {
            if (!line.startsWith(AVAILABLE) || !line.endsWith(UNIT)) continue;
            try {
                String amount = line.substring(AVAILABLE.length(), line.length() - UNIT.length());
                long kib = Long.parseLong(amount.strip());
                if (kib >= 0 && kib < 1L << 50) return OptionalLong.of(kib << 10);
            } catch (NumberFormatException e) {
                LOG.debug("{}: '{}' is no amount", FILE, line, e);
            }
        }
        return OptionalLong.empty();
    }
}
