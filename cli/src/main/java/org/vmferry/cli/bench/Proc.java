package org.vmferry.cli.bench;

import org.vmferry.engine.memory.GuestMemory;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What Linux tells of processes, in its folder of that name. */
final class Proc {
    private static final Path FOLDER = Path.of("/proc");
    private static final Path SELF = FOLDER.resolve("self");
    private static final long PAGE = 4096;
    private static final long TRIED = 8 << 20;

    private Proc() {}

    /** User and system time of a process so far; Linux counts it in hundredths of a second. */
    static double cpuSeconds(long pid) throws IOException {
        return ticks(FOLDER.resolve(Long.toString(pid)), 11);
    }

    /** The same of all processes that this one had started and that are gone. */
    static double cpuSecondsOfTheGone() throws IOException {
        return ticks(SELF, 13);
    }

    private static double ticks(Path process, int first) throws IOException {
        String stat = Files.readString(process.resolve("stat"));
        // The second field is a name in brackets that may hold anything.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[first]) + Long.parseLong(fields[first + 1])) / 100.0;
    }

    /** A difference of such times, without what doubles make of hundredths. */
    static double hundredths(double seconds) {
        return Math.round(seconds * 100) / 100.0;
    }

    /** The memory that a process has in use, in bytes: its resident set, counted anew. */
    static long residentBytes(long pid) throws IOException {
        return kib(Files.lines(FOLDER.resolve(pid + "/smaps_rollup")), "Rss:");
    }

    /** Of some of this process's memory, the bytes that were made: touched, and not given back. */
    static long residentBytes(MemorySegment memory) throws IOException {
        long from = memory.address();
        long to = from + memory.byteSize();
        String all = new String(Files.readAllBytes(SELF.resolve("smaps")), StandardCharsets.UTF_8);
        boolean within = false;
        long bytes = 0;
        for (String line : all.lines().toList()) {
            String first = line.split(" ", 2)[0];
            int dash = first.indexOf('-');
            if (dash > 0) {
                within =
                        Long.parseUnsignedLong(first.substring(0, dash), 16) < to
                                && Long.parseUnsignedLong(first.substring(dash + 1), 16) > from;
            } else if (within && first.equals("Rss:")) {
                bytes += kib(Stream.of(line), "Rss:");
            }
        }
        return bytes;
    }

    /**
     * Whether reading a page of private memory that was never touched makes one, as it does on some
     * kernels; others show a page of zeros that all share.
     */
    static boolean looksMakePages() throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = GuestMemory.allocate(arena, TRIED).segment();
            byte any = 0;
            for (long at = 0; at < TRIED; at += PAGE) any |= memory.get(ValueLayout.JAVA_BYTE, at);
            return any == 0 && residentBytes(memory) > TRIED / 2;
        }
    }

    private static long kib(Stream<String> lines, String name) throws IOException {
        try (lines) {
            String line =
                    lines.filter(one -> one.startsWith(name))
                            .findFirst()
                            .orElseThrow(() -> new IOException("the system tells no " + name));
            return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
        }
    }
}
