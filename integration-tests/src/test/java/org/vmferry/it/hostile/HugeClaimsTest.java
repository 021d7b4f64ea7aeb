package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.Launched;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * RAM that is announced and never comes, block after block of 64 GiB, each in some 20 bytes: who
 * kept 2 MiB of heap for each was soon out of memory.
 */
@Timeout(120)
class HugeClaimsTest {
    private static final long LENGTH = 64L << 30;
    private static final int BLOCKS = 48;
    private static final List<String> SMALL = List.of("-Xmx40m");

    @TempDir Path folder;

    private static ByteBuffer text(ByteBuffer out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        return out.put((byte) bytes.length).put(bytes);
    }

    /** Up to the list of blocks; with a capability or none. */
    private static ByteBuffer head(String capability) {
        ByteBuffer head = ByteBuffer.allocate(1 << 16);
        head.put("QEVM".getBytes(StandardCharsets.US_ASCII)).putInt(3);
        head.put((byte) 7).putInt(2).put("pc".getBytes(StandardCharsets.US_ASCII));
        if (!capability.isEmpty()) {
            text(head.put((byte) 5), "configuration/capabilities").putInt(1);
            text(head.putInt(1), capability);
        }
        text(head.put((byte) 1).putInt(1), "ram").putInt(0).putInt(4);
        return head.putLong(BLOCKS * LENGTH | 4);
    }

    @Test
    @Tag("RAM-2")
    void aSourceAnnouncesMoreThanAnybodyHas() throws Exception {
        ByteBuffer stream = head("");
        for (int i = 0; i < BLOCKS; i++) text(stream, "block" + i).putLong(LENGTH);
        stream.putLong(0x10).put((byte) 0x7e).putInt(1).flip();
        Path socket = folder.resolve("socket");
        try (Launched vmferry =
                Launched.with(
                        SMALL, folder, "receive", "unix:" + socket, "-o", folder.resolve("x"))) {
            Commands.await(socket);
            try (SocketChannel source = SocketChannel.open(StandardProtocolFamily.UNIX)) {
                source.connect(UnixDomainSocketAddress.of(socket));
                while (stream.hasRemaining()) source.write(stream);
                source.shutdownOutput();
                assertThat(vmferry.end(60)).as(vmferry.err()).isEqualTo(1);
            }
            assertThat(vmferry.err()).contains("the stream ends at", "it was cut short");
        }
    }

    @Test
    @Tag("MAP-8")
    void aFileHasMoreThanAnybodyHas() throws Exception {
        Path file = folder.resolve("vm.snap");
        try (FileChannel out =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            long at = block(out, 0, head("mapped-ram"), 0);
            for (int i = 1; i < BLOCKS; i++) at = block(out, at, ByteBuffer.allocate(1 << 10), i);
            out.write(ByteBuffer.allocate(13).putLong(0x10).put((byte) 0x7e).putInt(1).flip(), at);
        }
        try (Launched vmferry = Launched.with(SMALL, folder, "inspect", file)) {
            assertThat(vmferry.end(60)).as(vmferry.err()).isEqualTo(1);
            assertThat(vmferry.err()).contains("is too large to be looked into");
        }
    }

    /**
     * A device's section begins, and goes on into 8 TiB of nothing: it took minutes, and a disk.
     */
    @ParameterizedTest
    @ValueSource(strings = {"inspect", "verify"})
    @Tag("STR-10")
    void aSectionIsAHole(String deed) throws Exception {
        Path file = folder.resolve("vm.snap");
        ByteBuffer stream = head("");
        stream.position(stream.position() - 8); // before what is announced of RAM
        text(stream.putLong(4096 | 4), "pc.ram").putLong(4096).putLong(0x10);
        stream.put((byte) 0x7e).putInt(1);
        stream.put((byte) 3).putInt(1).putLong(0x10).put((byte) 0x7e).putInt(1);
        text(stream.put((byte) 4).putInt(2), "cpu").putInt(0).putInt(1);
        try (FileChannel out =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            out.write(stream.flip());
            out.write(ByteBuffer.wrap(new byte[] {1}), (8L << 40) - 1);
        }
        Commands command = new Commands();
        assertThat(command.run(deed, file)).isEqualTo(1);
        assertThat(command.err()).contains("over 16777216 bytes are holes in the file");
    }

    /** The same in a section of which nobody knows the end, and in its parts together. */
    @ParameterizedTest
    @CsvSource({"4398046511104, 0", "14680064, 14680064"})
    @Tag("STR-24")
    void anUnknownSectionIsAHole(long first, long second) throws Exception {
        Path file = folder.resolve("vm.snap");
        ByteBuffer stream = head("");
        stream.position(stream.position() - 8);
        text(stream.putLong(4096 | 4), "pc.ram").putLong(4096).putLong(0x10);
        stream.put((byte) 0x7e).putInt(1);
        text(stream.put((byte) 1).putInt(5), "odd").putInt(0).putInt(1);
        ByteBuffer page = ByteBuffer.allocate(4096).put((byte) 0x7e).putInt(5);
        text(page.put((byte) 2).putInt(1).putLong(2), "pc.ram").put((byte) 0);
        page.putLong(0x10).put((byte) 0x7e).putInt(1);
        if (second > 0) page.put((byte) 2).putInt(5);
        ByteBuffer rest = ByteBuffer.allocate(4096);
        if (second > 0) rest.put((byte) 0x7e).putInt(5);
        rest.put((byte) 3).putInt(1).putLong(0x10).put((byte) 0x7e).putInt(1);
        byte[] json = "{\"page_size\": 4096, \"devices\": []}".getBytes(StandardCharsets.UTF_8);
        rest.put((byte) 0).put((byte) 6).putInt(json.length).put(json);
        try (FileChannel out =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            out.write(stream.flip());
            out.write(page.flip(), out.size() + first);
            out.write(rest.flip(), out.size() + second);
        }
        Commands command = new Commands();
        assertThat(command.run("inspect", file)).isEqualTo(1);
        assertThat(command.err()).contains("over 16777216 bytes are holes in the file");
    }

    /** Writes what stands before a block, and its header; gives the place behind its pages. */
    private static long block(FileChannel out, long at, ByteBuffer before, int number)
            throws IOException {
        text(before, "block" + number).putLong(LENGTH);
        long bitmap = at + before.position() + 28;
        long pages = bitmap + LENGTH / 4096 / 8 + 4095 & -4096;
        before.putInt(1).putLong(4096).putLong(bitmap).putLong(pages);
        out.write(before.flip(), at);
        return pages + LENGTH;
    }
}
