package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.report.Inspection;

import java.io.IOException;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.GZIPInputStream;

/** Streams that QEMU 10.0 wrote for targets whose page is not 4 KiB, and that don't say so. */
@Tag("STR-16")
class PageSizeTest extends AtTerminal {
    @TempDir Path folder;

    private static byte[] captured(String name) throws IOException {
        String resource = "pages/" + name + ".stream.gz";
        try (InputStream in =
                new GZIPInputStream(
                        Objects.requireNonNull(
                                PageSizeTest.class.getResourceAsStream(resource), resource))) {
            return in.readAllBytes();
        }
    }

    private Path file(String name) throws IOException {
        return Files.write(folder.resolve(name + ".stream"), captured(name));
    }

    /** The same of a machine that nobody knows: its name has another first letter. */
    private Path unknown(String name) throws IOException {
        byte[] bytes = captured(name);
        bytes[13] = 'X';
        return Files.write(folder.resolve(name + ".unknown"), bytes);
    }

    private static Inspection look(Path file) throws IOException {
        return Engine.create().inspect("file:" + file);
    }

    /** {@code or1k-virt} is all zero, and RISC-V has a {@code virt} with other pages. */
    @ParameterizedTest
    @CsvSource({"avr,256", "microbit,1024", "or1k,8192", "or1k-virt,8192", "tricore,16384"})
    @Tag("RAM-3")
    void aMachinesNameTellsAndTheFileGoesThroughEveryCommand(String name, int page)
            throws IOException {
        Path file = file(name);
        assertThat(look(file).pageSize()).isEqualTo(page);
        assertThat(run("verify", file)).as(err.toString()).isZero();
        Path mapped = folder.resolve("mapped");
        assertThat(run("convert", file, mapped, "--format", "mapped-ram")).as("%s", err).isZero();
        assertThat(look(mapped).pageSize()).isEqualTo(page);
        assertThat(run("verify", mapped)).as(err.toString()).isZero();
        Path back = folder.resolve("back");
        assertThat(run("convert", mapped, back, "--format", "stream")).as("%s", err).isZero();
        for (Inspection.Block block : look(file).blocks()) {
            assertThat(extract(back, block.id()))
                    .isEqualTo(extract(mapped, block.id()))
                    .isEqualTo(extract(file, block.id()));
        }
        Path received = folder.resolve("received");
        assertThat(run("receive", "file:" + file, "-o", received)).as("%s", err).isZero();
        assertThat(look(received).pageSize()).isEqualTo(page);
    }

    private byte[] extract(Path file, String block) throws IOException {
        Path raw = folder.resolve("raw");
        Files.deleteIfExists(raw);
        assertThat(run("extract", file, "--block", block, "-o", raw)).as("%s", err).isZero();
        return Files.readAllBytes(raw);
    }

    @ParameterizedTest
    @CsvSource({"microbit,1024", "or1k,8192", "tricore,16384"})
    void theRecordsOfAnUnknownMachineTell(String name, int page) throws IOException {
        assertThat(look(unknown(name)).pageSize()).isEqualTo(page);
        assertThat(run("verify", unknown(name))).as(err.toString()).isZero();
    }

    @Test
    void whereAllIsZeroItIsAskedForAndAWrongAnswerIsFoundOut() throws IOException {
        Path file = unknown("zeros");
        assertThat(run("verify", file)).isEqualTo(1);
        assertThat(err.toString()).contains("Xicrobit", "--page-size");
        Path out = folder.resolve("out");
        for (String command : new String[] {"verify", "inspect"}) {
            assertThat(run(command, file, "--page-size", "512")).isEqualTo(1);
            assertThat(err.toString()).contains("1024", "512", "VMDESCRIPTION");
        }
        assertThat(run("receive", "file:" + file, "-o", out, "--page-size", "512")).isEqualTo(1);
        assertThat(err.toString()).contains("--page-size", "to 1024");
        assertThat(out).doesNotExist();
        assertThat(run("verify", file, "--page-size", "1024")).as("%s", err).isZero();
        assertThat(run("verify", file, "--page-size", "100")).isEqualTo(1);
        assertThat(err.toString()).contains("power of two from 256 to 65536");
    }

    /** A name that stands in the table, over RAM of another target. */
    @Test
    void aWrongNameIsFoundOut() throws IOException {
        byte[] bytes = captured("avr");
        byte[] name = "raspi0".getBytes(StandardCharsets.UTF_8);
        int old = bytes[12];
        byte[] renamed = new byte[bytes.length - old + name.length];
        System.arraycopy(bytes, 0, renamed, 0, 13);
        renamed[12] = (byte) name.length;
        System.arraycopy(name, 0, renamed, 13, name.length);
        System.arraycopy(bytes, 13 + old, renamed, 13 + name.length, bytes.length - 13 - old);
        Path file = Files.write(folder.resolve("renamed"), renamed);
        assertThat(run("verify", file)).isEqualTo(1);
    }

    private SocketChannel connected(Path socket, FutureTask<?> destination) throws IOException {
        while (true) {
            try {
                return SocketChannel.open(UnixDomainSocketAddress.of(socket));
            } catch (IOException e) { // nobody listens yet
                assertThat(destination.isDone()).as("%s", err).isFalse();
                LockSupport.parkNanos(200_000);
            }
        }
    }

    /** Of a source that waits for an answer, the last word it has had; -1 if it only closed. */
    private int answer(byte[] stream, Path out, String... more) throws Exception {
        Path socket = folder.resolve("socket");
        Files.deleteIfExists(socket);
        List<Object> arguments = new ArrayList<>(List.of("receive", "unix:" + socket, "-o", out));
        arguments.addAll(List.of(more));
        var destination = new FutureTask<>(() -> run(arguments.toArray()));
        Thread.ofPlatform().daemon().start(destination);
        ByteBuffer words = ByteBuffer.allocate(1000);
        try (SocketChannel source = connected(socket, destination)) {
            int head = 13 + stream[12];
            byte[] openReturnPath = {8, 0, 1, 0, 0};
            try {
                source.write(ByteBuffer.wrap(stream, 0, head));
                source.write(ByteBuffer.wrap(openReturnPath));
                ByteBuffer rest = ByteBuffer.wrap(stream, head, stream.length - head);
                while (rest.hasRemaining()) source.write(rest);
                while (source.read(words) >= 0) {}
            } catch (IOException e) {
                // It has gone without another word.
            }
        }
        int status = destination.get();
        assertThat(status == 0).as("%s", err).isEqualTo(Files.exists(out));
        return words.position() < 8 ? -1 : words.getInt(words.position() - 4);
    }

    private byte[] bytes(Path file) throws IOException {
        return Files.readAllBytes(file);
    }

    /** A source's guest runs on unless it is told 0. */
    @Test
    void aSourceIsNotToldThatAllHasComeBeforeTheSizeIsHeldAgainstTheDescription() throws Exception {
        Path out = folder.resolve("out");
        byte[] zeros = bytes(unknown("zeros"));
        assertThat(answer(zeros, out, "--page-size", "512")).isEqualTo(1);
        assertThat(err.toString()).contains("VMDESCRIPTION", "--page-size", "to 1024");
        assertThat(answer(captured("zeros"), out, "--page-size", "256")).isEqualTo(1);
        assertThat(err.toString()).contains("VMDESCRIPTION", "--page-size", "to 1024");
        assertThat(answer(zeros, out)).isEqualTo(1);
        assertThat(err.toString()).contains("Xicrobit", "--page-size");
        assertThat(answer(zeros, out, "--page-size", "1k")).isZero();
    }

    /** All that the source has to say is less than the largest page. */
    @Test
    void theRecordsTellAlsoWhereTheSourceWaitsForAnAnswer() throws Exception {
        Path out = folder.resolve("out");
        assertThat(answer(bytes(unknown("microbit")), out)).isZero();
        assertThat(look(out).pageSize()).isEqualTo(1024);
    }

    /** What can be known is held against what was asked for, before RAM is read. */
    @Test
    void whatContradictsTheFileIsRefused() throws IOException {
        Path file = unknown("microbit");
        assertThat(run("verify", file, "--page-size", "4k")).isEqualTo(1);
        assertThat(err.toString()).contains("page-size is 4096", "1024 bytes, as its records tell");
        assertThat(run("verify", file, "--page-size", "1k")).as("%s", err).isZero();
        Path mapped = folder.resolve("mapped");
        assertThat(run("convert", file, mapped, "--format", "mapped-ram")).as("%s", err).isZero();
        assertThat(run("verify", mapped, "--page-size", "512")).isEqualTo(1);
        assertThat(err.toString()).contains("1024 bytes, as the first block's header says");
    }
}
