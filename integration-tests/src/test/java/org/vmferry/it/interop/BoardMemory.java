package org.vmferry.it.interop;

import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.QemuBuilder;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * What a board's RAM holds before it is saved: other bytes in every page. A board with a default
 * RAM block has it from a file; into others QEMU's loader puts it.
 */
final class BoardMemory {
    /** Of longer RAM only so much at its beginning and its end is filled, in bytes. */
    private static final int MOST = 32 << 20;

    private final Board board;
    private final QemuBinary qemu;
    private final List<String> options = new ArrayList<>();
    private final List<String> filling = new ArrayList<>();
    private String backend = "";

    BoardMemory(Board board, QemuBinary qemu, Path folder) throws IOException {
        this.board = board;
        this.qemu = qemu;
        Path dimm = folder.resolve("dimm");
        fill(dimm, 16 << 20);
        for (String word : board.options()) options.add(word.replace("DIMM", dimm.toString()));
        if (qemu.atLeast(10, 0)) options.addAll(List.of("-audio", "none"));
        try (Qemu bare = builder(options).start()) {
            String block = defaultBlock(bare);
            if (block.isEmpty()) loaded(placements(bare), folder);
            else kept(block, folder.resolve("main"), size(bare));
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

    private void kept(String block, Path file, long size) throws IOException {
        fill(file, size);
        backend = ",memory-backend=" + block;
        options.addAll(
                List.of(
                        "-object",
                        "memory-backend-file,id=%s,size=%d,share=on,mem-path=%s"
                                .formatted(block, size, file)));
    }

    private void loaded(List<Placement> placements, Path folder) throws IOException {
        for (Placement each : placements) {
            if (!each.writable()) continue;
            Path file = folder.resolve("fill-" + filling.size());
            fill(file, Math.min(MOST, each.length()));
            filling.addAll(
                    List.of(
                            "-device",
                            "loader,file=%s,addr=%#x,force-raw=on"
                                    .formatted(file, each.address())));
        }
    }

    /** Writes a file of this length; no 256 bytes of what it fills are like others. */
    private static void fill(Path file, long length) throws IOException {
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.setLength(length);
            byte[] some = new byte[(int) Math.min(MOST, length)];
            new SplittableRandom(length).nextBytes(some);
            out.write(some);
            if (length <= MOST) return;
            new SplittableRandom(-length).nextBytes(some);
            out.seek(length - some.length);
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

    /** The machine as it is filled, which stands. */
    QemuBuilder source() {
        return builder(options).options(filling.toArray(String[]::new));
    }

    /** One that waits, whose RAM is empty. */
    QemuBuilder destination() {
        return builder(
                        options.stream()
                                .map(word -> word.replaceFirst(",share=on,mem-path=.*", ""))
                                .map(word -> word.replace("memory-backend-file", "memory-backend-ram"))
                                .toList())
                .incoming();
    }

    /** What the guest sees of its memory. */
    List<Placement> placements(Qemu running) throws IOException {
        return Placement.of(
                (String)
                        running.execute(
                                "human-monitor-command",
                                Map.of("command-line", "info mtree -f")));
    }
}
