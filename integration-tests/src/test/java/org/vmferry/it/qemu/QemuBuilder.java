package org.vmferry.it.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a {@link Qemu} is to be started with. Unless told otherwise: the current QEMU, a pc machine
 * of 64 MiB whose guest only counts, running at once. For one thread.
 */
public final class QemuBuilder {
    private QemuBinary binary;
    private String machine = "pc";
    private int memoryMiB = 64;
    private int blocks = 1;
    private Path ramFile;
    private GuestRom rom = GuestRom.counting();
    private boolean incoming;
    private boolean paused;
    private boolean bare;
    private final List<String> extra = new ArrayList<>();

    QemuBuilder() {}

    /** Which QEMU to start. */
    public QemuBuilder binary(QemuBinary qemu) {
        binary = qemu;
        return this;
    }

    /** The machine type, such as {@code q35} or {@code pc-i440fx-7.2}. */
    public QemuBuilder machine(String type) {
        machine = type;
        return this;
    }

    /** The guest's memory in MiB. */
    public QemuBuilder memory(int mebibytes) {
        memoryMiB = mebibytes;
        return this;
    }

    /**
     * Splits the guest's memory into this many RAM blocks of one size (as NUMA nodes), named ram0,
     * ram1, ... in the order of their guest addresses. Otherwise it is one block, pc.ram.
     */
    public QemuBuilder blocks(int count) {
        blocks = count;
        return this;
    }

    /** Keeps the guest's memory, one block named pc.ram, in this file, shared, made if missing. */
    public QemuBuilder ramFile(Path file) {
        ramFile = file;
        return this;
    }

    /** What the guest runs. */
    public QemuBuilder rom(GuestRom guest) {
        rom = guest;
        return this;
    }

    /** Waits for {@link Qemu#migrateIncoming} instead of running. */
    public QemuBuilder incoming() {
        incoming = true;
        return this;
    }

    /** Does not run before {@link Qemu#cont}. */
    public QemuBuilder paused() {
        paused = true;
        return this;
    }

    /** A board: it has its own memory, and no firmware but what it brings. */
    public QemuBuilder bare() {
        bare = true;
        return this;
    }

    /** More of QEMU's own options. */
    public QemuBuilder options(String... more) {
        extra.addAll(List.of(more));
        return this;
    }

    /**
     * Starts it and connects to it.
     *
     * @throws IOException if it does not start; the message has what it printed
     * @throws IllegalStateException if there is no such QEMU here, or the memory cannot be split so
     */
    public Qemu start() throws IOException {
        if (blocks > 1 && (ramFile != null || memoryMiB % blocks != 0)) {
            throw new IllegalStateException(
                    memoryMiB + " MiB cannot be split into " + blocks + " blocks");
        }
        QemuBinary qemu =
                binary != null
                        ? binary
                        : QemuBinary.current()
                                .orElseThrow(
                                        () -> new IllegalStateException("There is no QEMU here"));
        Path folder = Files.createTempDirectory("vmferry-qemu");
        try {
            Files.write(folder.resolve(Qemu.ROM), rom.image());
            return Qemu.start(qemu, folder, command(qemu, folder));
        } catch (IOException | RuntimeException | Error e) {
            Qemu.delete(folder);
            throw e;
        }
    }

    private List<String> command(QemuBinary qemu, Path folder) {
        List<String> command = new ArrayList<>(List.of(qemu.path().toString()));
        add(command, "-M", ramFile == null ? machine : machine + ",memory-backend=pc.ram");
        if (!bare) add(command, "-m", memoryMiB + "M");
        if (ramFile != null) {
            add(
                    command,
                    "-object",
                    "memory-backend-file,id=pc.ram,share=on,size=%dM,mem-path=%s"
                            .formatted(memoryMiB, ramFile.toAbsolutePath()));
        }
        for (int i = 0; blocks > 1 && i < blocks; i++) {
            int size = memoryMiB / blocks;
            add(command, "-object", "memory-backend-ram,id=ram%d,size=%dM".formatted(i, size));
            add(command, "-numa", "node,nodeid=%d,memdev=ram%d".formatted(i, i));
        }
        add(command, "-nodefaults", "-no-user-config", "-display", "none", "-accel", "tcg");
        if (!bare) add(command, "-bios", folder.resolve(Qemu.ROM).toString());
        add(command, "-serial", "file:" + folder.resolve(Qemu.SERIAL));
        add(command, "-qmp", "unix:" + folder.resolve(Qemu.SOCKET) + ",server=on,wait=off");
        if (incoming) add(command, "-incoming", "defer");
        if (paused) command.add("-S");
        command.addAll(extra);
        return command;
    }

    private static void add(List<String> command, String... options) {
        command.addAll(List.of(options));
    }
}
