package org.vmferry.it.interop;

import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.QemuBuilder;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A board's QEMUs, and what its RAM holds before it is saved: other bytes in every page. A board
 * with a default RAM block has it in a file, which is filled once the board has been reset; into
 * others QEMU's loader puts it.
 */
final class BoardMemory {
    /** Larger RAM is no file: a QEMU that reads a file's holes fills the page cache. */
    private static final long LARGEST_FILE = 1L << 30;

    private static final int FILE = 16 << 20; // bytes

    private final Board board;
    private final QemuBinary qemu;
    private final List<String> options = new ArrayList<>();
    private final List<String> filling = new ArrayList<>();
    private final List<Placement> looked;
    private String backend = "";
    private Path kept; // null if the loader puts it there

    BoardMemory(Board board, QemuBinary qemu, Path folder) throws IOException {
        this.board = board;
        this.qemu = qemu;
        Path file = folder.resolve("file");
        for (String word : board.options()) options.add(word.replace("FILE", file.toString()));
        if (!options.equals(board.options())) fill(file, FILE, 0, FILE);
        if (qemu.atLeast(10, 0)) options.addAll(List.of("-audio", "none"));
        try (Qemu bare = builder(options).start()) {
            looked = placements(bare).stream().flatMap(Placement::looked).toList();
            String block = defaultBlock(bare);
            long size = size(bare);
            if (block.isEmpty() || size > LARGEST_FILE)
                load(folder, size > 0 ? size : Long.MAX_VALUE);
            else keep(block, size, folder.resolve("main"));
        }
    }

    private String defaultBlock(Qemu bare) throws IOException {
        String type = board.machine().split(",")[0];
        for (Object each : (List<?>) bare.execute("query-machines", Map.of())) {
            Map<?, ?> machine = (Map<?, ?>) each;
            if (type.equals(machine.get("name")) || type.equals(machine.get("alias"))) {
                return machine.get("default-ram-id") instanceof String id ? id : "";
            }
        }
        throw new IOException("no machine " + type);
    }

    private static long size(Qemu bare) throws IOException {
        Map<?, ?> told = (Map<?, ?>) bare.execute("query-memory-size-summary", Map.of());
        return (Long) told.get("base-memory");
    }

    private void keep(String block, long size, Path file) {
        kept = file;
        backend = ",memory-backend=" + block;
        options.add("-object");
        options.add(
                "memory-backend-file,id=%s,size=%d,share=on,mem-path=%s"
                        .formatted(block, size, file));
    }

    /** The loader takes no file that is longer than the machine's memory. */
    private void load(Path folder, long most) throws IOException {
        for (Placement each : looked) {
            if (!each.writable()) continue;
            for (long from = 0; from < each.length(); from += most) {
                Path file = folder.resolve("fill-" + filling.size());
                fill(file, Math.min(most, each.length() - from), 0, each.address() + from);
                String place = each.view().equals(Placement.CPU) ? ",cpu-num=0" : "";
                filling.add("-device");
                filling.add(
                        "loader,file=%s,addr=%#x,force-raw=on%s"
                                .formatted(file, each.address() + from, place));
            }
        }
    }

    /** Writes so many bytes; no 256 of what it fills are like others. */
    private static void fill(Path file, long length, long offset, long seed) throws IOException {
        byte[] some = new byte[(int) length];
        new SplittableRandom(seed).nextBytes(some);
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.seek(offset);
            out.write(some);
        }
    }

    private QemuBuilder builder(List<String> words) {
        return Qemu.builder()
                .binary(qemu)
                .bare()
                .machine(board.machine() + backend)
                .options(words.toArray(String[]::new))
                .paused();
    }

    /** The machine as it is filled; it never runs. */
    Qemu source() throws IOException {
        Qemu source = builder(options).options(filling.toArray(String[]::new)).start();
        if (kept == null) return source;
        try {
            // A QEMU that answers has been reset: it puts nothing more there.
            source.status();
            String block = backend.substring(backend.indexOf('=') + 1);
            for (Placement each : looked) {
                if (each.region().equals(block)) {
                    fill(kept, each.length(), each.offset(), each.offset());
                }
            }
            return source;
        } catch (IOException | RuntimeException | Error e) {
            source.close();
            throw e;
        }
    }

    /** One that waits, whose RAM is empty. */
    Qemu destination() throws IOException {
        List<String> empty =
                options.stream()
                        .map(word -> word.replaceFirst(",share=on,mem-path=.*", ""))
                        .map(word -> word.replace("memory-backend-file", "memory-backend-ram"))
                        .toList();
        return builder(empty).incoming().start();
    }

    /** What of its memory the guest sees, and is compared. */
    List<Placement> looked() {
        return looked;
    }

    private static List<Placement> placements(Qemu running) throws IOException {
        return Placement.of(monitor(running, "info mtree -f"));
    }

    /** What a command of the human monitor says. */
    static String monitor(Qemu running, String command) throws IOException {
        return (String) running.execute("human-monitor-command", Map.of("command-line", command));
    }
}
