package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.it.qemu.MigrationFailedException;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Commands;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;

/** Targets whose page is not 4 KiB and whose stream doesn't say so, with their own QEMUs. */
@Tag("stress")
@Tag("STR-16")
@RequiresQemu(old = true)
@Timeout(180)
class PageSizeQemuTest {
    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final List<String> OLD =
            List.of(
                    "-p",
                    "multifd-flush-after-each-section=on",
                    "-p",
                    "zero-page-detection=legacy");

    /**
     * A board, one of its blocks, where its CPU sees the beginning of this, and where data is put.
     */
    enum Board {
        AVR("avr", "arduino-uno", 256, "flash", 0, 32 << 10, 0x400),
        RASPBERRY_PI("aarch64", "raspi0", 1024, "ram", 0, 4 << 20, 0x1400),
        MICROBIT("arm", "microbit", 1024, "nrf51.sram", 0x20000000, 16 << 10, 0x20000400),
        SUN4U("sparc64", "sun4u", 8192, "sun4u.ram", 0, 4 << 20, 0x4000),
        OR1K("or1k", "or1k-sim", 8192, "openrisc.ram", 0, 4 << 20, 0x4000),
        TRICORE(
                "tricore",
                "tricore_testboard",
                16384,
                "powerlink_ext_d.ram",
                0xa1000000L,
                4 << 20,
                0xa1004000L);

        private final String target;
        private final String machine;
        private final int page;
        private final String block;
        private final long address;
        private final int length;
        private final long data;

        Board(
                String target,
                String machine,
                int page,
                String block,
                long address,
                int length,
                long data) {
            this.target = target;
            this.machine = machine;
            this.page = page;
            this.block = block;
            this.address = address;
            this.length = length;
            this.data = data;
        }
    }

    @TempDir Path folder;
    private final Commands command = new Commands();

    private static List<QemuBinary> versions() {
        return List.of(QemuBinary.current().get(), QemuBinary.old().get());
    }

    /** 7.2 itself dies by SIGFPE as soon as it saves pages that are larger than its host's. */
    private static List<QemuBinary> versions(Board board) {
        return board.page > 4096 ? versions().subList(0, 1) : versions();
    }

    private static QemuBuilder qemu(QemuBinary version, String target, String machine) {
        return Qemu.builder().binary(version.target(target)).machine(machine).bare().paused();
    }

    private Qemu source(QemuBinary version, Board board) throws IOException {
        if (board == Board.AVR) {
            byte[] firmware = new byte[1024];
            firmware[700] = 0x77;
            return qemu(version, board.target, board.machine)
                    .options("-bios", Files.write(file("firmware.bin"), firmware).toString())
                    .start();
        }
        return qemu(version, board.target, board.machine)
                .options(loaded(board.data))
                .options(loaded(board.data + 3L * board.page))
                .start();
    }

    private static String[] loaded(long address) {
        return new String[] {
            "-device", "loader,addr=0x%x,data=0x1122334455667788,data-len=8".formatted(address)
        };
    }

    private static Qemu destination(QemuBinary version, Board board) throws IOException {
        return qemu(version, board.target, board.machine).incoming().start();
    }

    private Path file(String name) {
        return folder.resolve(name);
    }

    private void runs(Object... arguments) {
        assertThat(command.run(arguments)).as("%s", command.err()).isZero();
    }

    /** What the guest's CPU sees of the block. */
    private byte[] seen(Qemu qemu, Board board) throws IOException {
        Path seen = file("seen");
        if (board == Board.MICROBIT) {
            // Its memory is its CPU's alone, and not in the board's address space.
            qemu.execute(
                    "memsave",
                    Map.of("val", board.address, "size", board.length, "filename", "" + seen));
        } else {
            qemu.saveMemory(board.address, board.length, seen);
        }
        return Files.readAllBytes(seen);
    }

    private byte[] extracted(Path from, Board board) throws IOException {
        Path raw = file("raw");
        Files.deleteIfExists(raw);
        runs("extract", from, "--block", board.block, "-o", raw);
        try (InputStream in = Files.newInputStream(raw)) {
            return in.readNBytes(board.length);
        }
    }

    private static void same(byte[] one, byte[] other) {
        assertThat(Arrays.mismatch(one, other)).as("where they differ").isEqualTo(-1);
    }

    /** The command as a destination, over a socket. */
    private FutureTask<Integer> receive(Path out, Object... more) throws IOException {
        Path socket = file("socket");
        Files.deleteIfExists(socket);
        Object[] arguments = new Object[4 + more.length];
        arguments[0] = "receive";
        arguments[1] = "unix:" + socket;
        arguments[2] = "-o";
        arguments[3] = out;
        System.arraycopy(more, 0, arguments, 4, more.length);
        int before = command.err().length();
        FutureTask<Integer> status = command.begin(arguments);
        // The socket is there before anybody listens.
        while (command.err().indexOf("listening on", before) < 0) {
            assertThat(status.isDone()).as("%s", command.err()).isFalse();
            LockSupport.parkNanos(200_000);
        }
        return status;
    }

    private void migrate(Qemu source, FutureTask<Integer> status) throws Exception {
        source.migrate("unix:" + file("socket"));
        assertThat(status.get()).as("%s", command.err()).isZero();
        if (source.binary().atLeast(10, 0)) source.awaitMigration(DEADLINE); // see assertFails
    }

    private void loads(
            QemuBinary version, Board board, byte[] seen, String uri, String... capabilities)
            throws IOException {
        try (Qemu destination = destination(version, board)) {
            if (capabilities.length > 0) destination.setCapabilities(capabilities);
            destination.migrateIncoming(uri);
            destination.awaitMigration(DEADLINE);
            same(seen(destination, board), seen);
        }
    }

    private void isSentTo(QemuBinary version, Board board, byte[] seen, Path file, boolean multifd)
            throws IOException {
        try (Qemu destination = destination(version, board)) {
            if (multifd) destination.setCapabilities("multifd");
            destination.migrateIncoming("tcp:127.0.0.1:0");
            String uri = "tcp:127.0.0.1:" + destination.incomingPort();
            List<Object> send = new ArrayList<>(List.of("send", file, uri, "-c", "return-path"));
            if (multifd) send.addAll(List.of("-c", "multifd"));
            if (multifd && !version.atLeast(9, 0)) send.addAll(OLD); // no board's name says so
            runs(send.toArray());
            destination.awaitMigration(DEADLINE);
            same(seen(destination, board), seen);
        }
    }

    @ParameterizedTest
    @EnumSource
    void goesThroughEveryCommandAndIsLoadedByItsQemu(Board board) throws Exception {
        for (QemuBinary version : versions(board)) {
            Path received = file("received-" + version.major());
            Path saved = file("saved-" + version.major());
            Path mapped = file("mapped-" + version.major());
            byte[] seen;
            try (Qemu source = source(version, board)) {
                source.setCapabilities("return-path");
                migrate(source, receive(received));
                seen = seen(source, board);
                assertThat(seen).contains(0x77);
            }
            try (Qemu source = source(version, board)) {
                source.migrate("exec:cat > " + saved);
                source.awaitMigration(DEADLINE);
            }
            runs("convert", saved, mapped, "--format", "mapped-ram");
            Path stream = file("stream-" + version.major());
            runs("convert", received, stream, "--format", "stream");
            for (Path each : List.of(received, saved, mapped, stream)) {
                runs("verify", each);
                assertThat(Engine.create().inspect("file:" + each).pageSize())
                        .isEqualTo(board.page);
                same(extracted(each, board), seen);
            }
            loads(version, board, seen, "exec:cat " + stream);
            if (version.atLeast(9, 0)) loads(version, board, seen, "file:" + mapped, "mapped-ram");
            isSentTo(version, board, seen, received, false);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "AVR")
    void goesThroughMultifd(Board board) throws Exception {
        for (QemuBinary version : versions(board)) {
            Path received = file("received-" + version.major());
            byte[] seen;
            try (Qemu source = source(version, board)) {
                source.setCapabilities("multifd", "return-path");
                migrate(source, receive(received, "-c", "multifd"));
                seen = seen(source, board);
                assertThat(seen).contains(0x77);
            }
            same(extracted(received, board), seen);
            isSentTo(version, board, seen, received, true);
        }
    }

    /** Machines {@code virt} have pages of 4 and of 8 KiB: no table tells. */
    @ParameterizedTest
    @ValueSource(strings = {"riscv64", "or1k"})
    void whereNoTableTellsMultifdAsks(String target) throws Exception {
        int page = target.equals("or1k") ? 8192 : 4096;
        for (QemuBinary version : page > 4096 ? versions().subList(0, 1) : versions()) {
            Path received = file("received-" + version.major());
            if (version.atLeast(10, 0)) {
                try (Qemu source = qemu(version, target, "virt").start()) {
                    source.setCapabilities("multifd", "return-path");
                    assertFails(source, receive(received, "-c", "multifd"));
                    assertThat(command.err()).contains("machine 'virt'", "--page-size");
                    assertThat(received).doesNotExist();
                }
            }
            try (Qemu source = qemu(version, target, "virt").start()) {
                source.setCapabilities("multifd", "return-path");
                migrate(source, receive(received, "-c", "multifd", "--page-size", page));
            }
            assertThat(Engine.create().inspect("file:" + received).pageSize()).isEqualTo(page);
        }
    }

    /** Not with 7.2, which may divide by zero where it is asked how a short migration goes. */
    private void assertFails(Qemu source, FutureTask<Integer> status) throws Exception {
        source.migrate("unix:" + file("socket"));
        assertThatThrownBy(() -> source.awaitMigration(DEADLINE))
                .isInstanceOf(MigrationFailedException.class);
        assertThat(status.get()).isEqualTo(1);
    }

    @Test
    void avrWithMultifdIsRefusedByName() throws Exception {
        try (Qemu source = source(versions().getFirst(), Board.AVR)) {
            source.setCapabilities("multifd", "return-path");
            assertFails(source, receive(file("received"), "-c", "multifd"));
            assertThat(command.err()).contains("multifd needs", "256");
        }
    }

    /** An or1k whose memory is all zero runs: it jumps to where it is. */
    @Test
    void aWrongSizeLeavesTheGuestToItsSource() throws Exception {
        QemuBinary version = versions().getFirst();
        try (Qemu source = qemu(version, "or1k", "or1k-sim").options("-m", "1M").start()) {
            source.cont();
            source.setCapabilities("return-path");
            source.setParameters(Map.of("max-bandwidth", 0));
            Path out = file("out");
            assertFails(source, receive(out, "--page-size", "4k"));
            assertThat(command.err()).contains("VMDESCRIPTION", "set page-size", "to 8192");
            assertThat(out).doesNotExist();
            source.awaitStatus("running", DEADLINE);
        }
    }
}
