package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.cli.Main;
import org.vmferry.it.support.Commands;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A machine of 4 TiB, or 8, nearly all zero, in a heap of 256 MiB. */
@Tag("MAP-4")
class HugeBlockTest {
    private static final long TIB = 1L << 40;
    private static final String DESCRIPTION =
            "{\"page_size\": 4096, \"devices\": [{\"name\": \"d\", \"instance_id\": 0, \"fields\":"
                    + " []}]}";

    @TempDir Path folder;
    private long length = 4 * TIB;

    private static ByteBuffer text(ByteBuffer out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return out.put((byte) bytes.length).put(bytes);
    }

    /** Three pages: the first, one in the middle, the last. */
    private Path snapshot() throws IOException {
        Path file = folder.resolve("huge.save");
        try (FileChannel out =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            ByteBuffer head = ByteBuffer.allocate(4096);
            head.put("QEVM".getBytes(StandardCharsets.US_ASCII)).putInt(3);
            head.put((byte) 7).putInt(4).put("huge".getBytes(StandardCharsets.US_ASCII));
            text(head.put((byte) 5), "configuration/capabilities").putInt(1);
            text(head.putInt(1), "mapped-ram");
            text(head.put((byte) 1).putInt(1), "ram").putInt(0).putInt(4).putLong(length | 4);
            text(head, "n".repeat(240)).putLong(length);
            long bitmap = head.position() + 28;
            long pages = (bitmap + length / 4096 / 8 + 4095) / 4096 * 4096;
            head.putInt(1).putLong(4096).putLong(bitmap).putLong(pages);
            out.write(head.flip(), 0);
            for (long page : new long[] {0, length / 8192, length / 4096 - 1}) {
                ByteBuffer bit = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
                out.write(bit.putLong(1L << page).flip(), bitmap + page / 64 * 8);
                ByteBuffer content = ByteBuffer.allocate(4096);
                while (content.hasRemaining()) content.putLong(page + 7);
                out.write(content.flip(), pages + page * 4096);
            }
            ByteBuffer tail = ByteBuffer.allocate(4096);
            tail.putLong(0x10).put((byte) 0x7e).putInt(1);
            tail.put((byte) 3).putInt(1).putLong(0x10).put((byte) 0x7e).putInt(1);
            text(tail.put((byte) 4).putInt(2), "d").putInt(0).putInt(1).put((byte) 0x7e).putInt(2);
            tail.put((byte) 0).put((byte) 6).putInt(DESCRIPTION.length());
            tail.put(DESCRIPTION.getBytes(StandardCharsets.US_ASCII));
            out.write(tail.flip(), pages + length);
        }
        return file;
    }

    private String run(Object... arguments) throws Exception {
        return ended(begin(arguments), arguments);
    }

    private Process begin(Object... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        Collections.addAll(
                command,
                ProcessHandle.current().info().command().orElseThrow(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName());
        for (Object argument : arguments) command.add(argument.toString());
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(arguments[0] + ".out").toFile())
                .start();
    }

    private String ended(Process process, Object... arguments) throws Exception {
        int status = process.waitFor();
        String said = Files.readString(folder.resolve(arguments[0] + ".out"));
        assertThat(status).as("%s: %s", List.of(arguments), said).isZero();
        return said;
    }

    @Test
    void isLookedInto() throws Exception {
        length = 8 * TIB;
        Path file = snapshot();
        assertThat(run("inspect", file)).contains("8 TiB  3 of 2147483648 pages");
        run("verify", file);
        holdsItsPages(file);
    }

    private void holdsItsPages(Path file) throws Exception {
        Path raw = folder.resolve("raw");
        run("extract", file, "--block", "n".repeat(240), "-o", raw);
        assertThat(raw).hasSize(length);
        try (FileChannel in = FileChannel.open(raw)) {
            for (long page : new long[] {0, length / 8192, length / 4096 - 1}) {
                ByteBuffer word = ByteBuffer.allocate(8);
                in.read(word, page * 4096 + 4088);
                assertThat(word.getLong(0)).isEqualTo(page + 7);
                in.read(word.clear(), (page == 0 ? 1 : page - 1) * 4096);
                assertThat(word.getLong(0)).isZero();
            }
        }
    }

    /** All of it in seconds: what was never written is neither read nor written. */
    @Test
    void isWrittenAnew() throws Exception {
        Path anew = folder.resolve("anew.save");
        run("convert", snapshot(), anew, "--format", "mapped-ram");
        assertThat(onDisk(anew)).as("its bitmap has holes, too").isLessThan(8 << 20);
        run("verify", anew);
        holdsItsPages(anew);
    }

    /** A stream says each of 2^30 pages: some 9 GiB. */
    @Test
    @Tag("stress")
    @Tag("RAM-12")
    void becomesAStreamAndComesBack() throws Exception {
        Path stream = folder.resolve("stream.save");
        run("convert", snapshot(), stream, "--format", "stream");
        assertThat(Files.size(stream)).isBetween(9L << 30, 10L << 30);
        Path anew = folder.resolve("anew.save");
        run("convert", stream, anew, "--format", "mapped-ram", "--page-size", "4k");
        assertThat(onDisk(anew)).isLessThan(8 << 20);
        holdsItsPages(anew);
    }

    @Test
    @Tag("stress")
    @Tag("RAM-12")
    void isSentAndReceived() throws Exception {
        Path anew = folder.resolve("anew.save");
        String uri = "unix:" + folder.resolve("s");
        Object[] receive = {"receive", uri, "-o", anew, "--page-size", "4k"};
        Process receiver = begin(receive);
        try {
            Commands.await(folder.resolve("s"));
            run("send", snapshot(), uri);
            ended(receiver, receive);
        } finally {
            receiver.destroyForcibly();
        }
        assertThat(onDisk(anew)).isLessThan(8 << 20);
        holdsItsPages(anew);
    }

    private static long onDisk(Path file) throws Exception {
        Process du = new ProcessBuilder("du", "-k", file.toString()).start();
        String said = new String(du.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        return Long.parseLong(said.split("\\s")[0]) << 10;
    }
}
