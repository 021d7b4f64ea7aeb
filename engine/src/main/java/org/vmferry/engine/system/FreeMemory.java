package org.vmferry.engine.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** How much memory the system could give without taking it from anybody. */
public final class FreeMemory {
    private static final Path FILE = Path.of("/proc/meminfo");
    private static final String LINE = "MemAvailable:";

    private FreeMemory() {}

    /** MemAvailable, in bytes; empty where the system does not tell. */
    public static OptionalLong bytes() {
        try (Stream<String> lines = Files.lines(FILE)) {
            return lines.filter(line -> line.startsWith(LINE))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
                    .findFirst();
        } catch (IOException | RuntimeException e) {
            return OptionalLong.empty();
        }
    }
}
