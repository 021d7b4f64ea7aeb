package org.vmferry.mappedram;

import org.slf4j.Logger;
import org.vmferry.spi.Log;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** What Linux says of the machine's memory. */
final class MemInfo {
    private static final Logger LOG = Log.of(MemInfo.class);
    private static final Path FILE = Path.of("/proc/meminfo");
    private static final String AVAILABLE = "MemAvailable:", UNIT = " kB";

    private MemInfo() {}

    /** Bytes that can be had without swapping; empty where no Linux says so. */
    static OptionalLong available() {
        try {
            return available(Files.readAllLines(FILE));
        } catch (IOException | SecurityException e) {
            LOG.debug("{} can't be read", FILE, e);
            return OptionalLong.empty();
        }
    }

    /** The same, of the file's lines. */
    static OptionalLong available(List<String> lines) {
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
