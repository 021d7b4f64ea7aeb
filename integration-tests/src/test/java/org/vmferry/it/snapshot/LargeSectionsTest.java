package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.cli.Main;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.Mounted;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/** Sections that are larger than the heap, through every command, byte for byte. */
@Timeout(300)
class LargeSectionsTest {
    private static final int MIB = 1 << 20;

    /** Two pages of RAM: one of ones, and one that is not zero either, each once. */
    private static final int RAM = 1, DEVICE = 2, OTHER = 3;

    @TempDir Path folder;
    private String heap = "40m";

    /** A stream that is written by hand. */
    private static final class Written implements AutoCloseable {
        private final FileChannel out;
        private final ByteBuffer buffer = ByteBuffer.allocate(4 * MIB);

        Written(Path file, String machine) throws IOException {
            out = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            buffer.put("QEVM".getBytes(StandardCharsets.US_ASCII)).putInt(3);
            buffer.put((byte) 7).putInt(machine.length());
            buffer.put(machine.getBytes(StandardCharsets.US_ASCII));
        }

        private Written text(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            buffer.put((byte) bytes.length).put(bytes);
            return this;
        }

        Written head(int mark, int id, String name, int version) {
            buffer.put((byte) mark).putInt(id);
            text(name).buffer.putInt(0).putInt(version);
            return this;
        }

        Written part(int mark, int id) {
            buffer.put((byte) mark).putInt(id);
            return this;
        }

        Written foot(int id) throws IOException {
            buffer.put((byte) 0x7e).putInt(id);
            return flush();
        }

        Written u64(long value) {
            buffer.putLong(value);
            return this;
        }

        Written u32(int value) {
            buffer.putInt(value);
            return this;
        }

        Written ramStart() throws IOException {
            head(1, RAM, "ram", 4).u64(8192 | 4);
            return text("pc.ram").u64(8192).u64(0x10).foot(RAM);
        }

        Written ramPart() throws IOException {
            part(2, RAM).u64(8);
            text("pc.ram");
            for (int i = 0; i < 4096; i++) buffer.put((byte) 1);
            u64(4096 | 8 | 0x20);
            for (int i = 0; i < 4096; i++) buffer.put((byte) (i | 2));
            return u64(0x10).foot(RAM);
        }

        Written ramEnd() throws IOException {
            return part(3, RAM).u64(0x10).foot(RAM);
        }

        /** MiBs that differ. */
        Written content(int mibs) throws IOException {
            for (int i = 0; i < mibs; i++) {
                flush();
                long word = 88172645463325252L + i;
                for (int done = 0; done < MIB; done += 8) {
                    word ^= word << 13;
                    word ^= word >>> 7;
                    word ^= word << 17;
                    buffer.putLong(word);
                }
            }
            return flush();
        }

        Written end(String padding, String... devices) throws IOException {
            String json =
                    "{\"page_size\": 4096, \"devices\": [%s]%s}"
                            .formatted(String.join(", ", devices), padding);
            flush();
            buffer.put((byte) 0).put((byte) 6).putInt(json.length());
            flush();
            byte[] bytes = json.getBytes(StandardCharsets.US_ASCII);
            for (ByteBuffer all = ByteBuffer.wrap(bytes); all.hasRemaining(); ) out.write(all);
            return this;
        }

        private Written flush() throws IOException {
            buffer.flip();
            while (buffer.hasRemaining()) out.write(buffer);
            buffer.clear();
            return this;
        }

        @Override
        public void close() throws IOException {
            out.close();
        }
    }

    private static String device(String name, long size) {
        return "{\"name\": \"%s\", \"instance_id\": 0, \"fields\": [{\"size\": %d}]}"
                .formatted(name, size);
    }

    /** A device's state of so many MiB, and a small one behind it. */
    private Path full(int mibs) throws IOException {
        Path file = folder.resolve("full.save");
        try (Written out = new Written(file, "pc-q35-9.2")) {
            out.ramStart().ramPart().ramEnd();
            out.head(4, DEVICE, "large", 7).content(mibs).foot(DEVICE);
            out.head(4, OTHER, "small", 1).u64(5).foot(OTHER);
            out.end("", device("large", (long) mibs * MIB), device("small", 8));
        }
        return file;
    }

    /** A disk of so many MiB between RAM's parts, of a section that nobody knows. */
    private Path disk(int mibs) throws IOException {
        Path file = folder.resolve("disk.save");
        try (Written out = new Written(file, "pc-q35-9.2")) {
            out.head(1, DEVICE, "disk", 1).u64(mibs).foot(DEVICE).ramStart();
            out.part(2, DEVICE).content(mibs).foot(DEVICE).ramPart().ramEnd();
            out.part(3, DEVICE).u64(0).foot(DEVICE);
            out.head(4, OTHER, "small", 1).u64(5).foot(OTHER).end("", device("small", 8));
        }
        return file;
    }

    /** The hash table of a pseries that was sent part by part. */
    private Path hashTable(int parts) throws IOException {
        Path file = folder.resolve("htab.save");
        try (Written out = new Written(file, "pseries-9.2")) {
            out.ramStart().head(1, DEVICE, "spapr/htab", 1).u32(26).foot(DEVICE).ramPart();
            for (int i = 0; i < parts; i++) {
                out.part(2, DEVICE).u32(0);
                // 32768 entries of 16 bytes are half a MiB: twice that, and no more.
                for (int half = 0; half < 2; half++) {
                    out.u32((2 * i + half) << 15).u32(32768 << 16);
                    for (int word = 0; word < 65536; word++) out.u64((long) i << 40 | word);
                }
                out.u64(0).foot(DEVICE);
            }
            out.ramEnd().part(3, DEVICE).u32(0).u64(0).foot(DEVICE);
            out.head(4, OTHER, "small", 1).u64(5).foot(OTHER).end("", device("small", 8));
        }
        return file;
    }

    private String run(int status, Object... arguments) throws Exception {
        return ended(begin(arguments), status, arguments);
    }

    private Process begin(Object... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        Collections.addAll(
                command,
                ProcessHandle.current().info().command().orElseThrow(),
                "-Xmx" + heap,
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + folder,
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

    private String ended(Process process, int status, Object... arguments) throws Exception {
        assertThat(process.waitFor()).as("%s", said(arguments)).isEqualTo(status);
        try (Stream<Path> all = Files.list(folder)) {
            assertThat(all.filter(each -> each.getFileName().toString().startsWith(".")))
                    .as("nothing is left")
                    .isEmpty();
        }
        return said(arguments);
    }

    private String said(Object... arguments) throws IOException {
        return Files.readString(folder.resolve(arguments[0] + ".out"));
    }

    private static boolean matches(ByteBuffer bytes, int at, byte[] wanted) {
        for (int i = 0; i < wanted.length; i++) if (bytes.get(at + i) != wanted[i]) return false;
        return true;
    }

    /** Where a section's head or mark stands; it is looked for in the first 64 KiB. */
    private static long find(FileChannel file, byte[] wanted) throws IOException {
        ByteBuffer front = ByteBuffer.allocate(1 << 16);
        while (front.hasRemaining() && file.read(front, front.position()) >= 0) {}
        for (int at = 0; at + wanted.length <= front.position(); at++) {
            if (matches(front, at, wanted)) return at;
        }
        throw new AssertionError("it is not there");
    }

    /** That two files have the same bytes from some on. */
    private static void assertSame(Path one, Path other, byte[] from, long length)
            throws IOException {
        try (FileChannel first = FileChannel.open(one);
                FileChannel second = FileChannel.open(other)) {
            long left = find(first, from);
            long right = find(second, from);
            ByteBuffer a = ByteBuffer.allocateDirect(4 * MIB);
            ByteBuffer b = ByteBuffer.allocateDirect(4 * MIB);
            for (long done = 0; done < length; done += a.limit()) {
                int step = (int) Math.min(4 * MIB, length - done);
                a.clear().limit(step);
                b.clear().limit(step);
                while (a.hasRemaining())
                    assertThat(first.read(a, left + done + a.position())).isPositive();
                while (b.hasRemaining())
                    assertThat(second.read(b, right + done + b.position())).isPositive();
                assertThat(a.flip().mismatch(b.flip())).as("from %d on", done).isEqualTo(-1);
            }
        }
    }

    private static byte[] fullMark() {
        return ByteBuffer.allocate(11)
                .put((byte) 4)
                .putInt(DEVICE)
                .put((byte) 5)
                .put("large".getBytes(StandardCharsets.US_ASCII))
                .array();
    }

    private static byte[] partMark() {
        return ByteBuffer.allocate(5).put((byte) 2).putInt(DEVICE).array();
    }

    /** To the other format and back. */
    private Path thereAndBack(Path file) throws Exception {
        Path mapped = folder.resolve("mapped.save");
        run(0, "convert", file, mapped, "--format", "mapped-ram");
        Path back = folder.resolve("back.save");
        run(0, "convert", mapped, back, "--format", "stream");
        Files.delete(mapped);
        return back;
    }

    private Path sentAndReceived(Path file) throws Exception {
        Path arrived = folder.resolve("arrived.save");
        Path socket = folder.resolve("s");
        Object[] receive = {"receive", "unix:" + socket, "-o", arrived, "-c", "return-path"};
        Process receiver = begin(receive);
        try {
            Commands.await(socket);
            Process sender = begin("send", file, "unix:" + socket, "-c", "return-path");
            assertThat(sender.waitFor()).as("%s", said("send")).isZero();
            ended(receiver, 0, receive);
        } finally {
            receiver.destroyForcibly();
        }
        return arrived;
    }

    private void everyWay(Path file, String section, byte[] from, long length) throws Exception {
        assertThat(run(0, "inspect", file)).contains(section);
        assertThat(run(0, "verify", file)).contains("sound");
        Path back = thereAndBack(file);
        assertSame(file, back, from, length);
        Files.delete(back);
        goesOver(file, from, length);
    }

    /** Through a channel, an archive and a mapped-ram file. */
    private void goesOver(Path file, byte[] from, long length) throws Exception {
        Path arrived = sentAndReceived(file);
        Path stream = folder.resolve("stream.save");
        run(0, "convert", arrived, stream, "--format", "stream");
        assertSame(file, stream, from, length);
    }

    @Test
    @Tag("STR-10")
    void aDevicesSection() throws Exception {
        Path file = full(34);
        goesOver(file, fullMark(), 34L * MIB + 56);
    }

    @Test
    @Tag("STR-10")
    @Tag("stress")
    void aDevicesSectionOfAGiB() throws Exception {
        heap = "256m";
        everyWay(full(1100), "large", fullMark(), 1100L * MIB + 56);
    }

    @Test
    @Tag("STR-15")
    void aDeviceThatIsTooLargeToBeShownIsNamed() throws Exception {
        assertThat(run(1, "inspect", full(34), "--device", "large"))
                .startsWith("vmferry: ")
                .contains("'large' instance 0", "35651584 bytes");
    }

    /** 16 MiB of it, with as many brackets as are read. */
    @Test
    @Tag("STR-8")
    void aDescriptionThatIsAsLongAsMayBe() throws Exception {
        heap = "256m";
        String padding = ", \"x\": [" + "{\"a\":1},".repeat(490_000) + "0], \"y\": \"";
        int left = (16 << 20) - padding.length() - 1000;
        padding += "y".repeat(left) + '"';
        Path file = folder.resolve("described.save");
        try (Written out = new Written(file, "pc-q35-9.2")) {
            out.ramStart().ramPart().ramEnd();
            out.head(4, DEVICE, "small", 1).u64(5).foot(DEVICE).end(padding, device("small", 8));
        }
        assertThat(run(0, "inspect", file)).contains("small");
        byte[] mark = ByteBuffer.allocate(5).put((byte) 4).putInt(DEVICE).array();
        assertSame(file, thereAndBack(file), mark, 34);
    }

    /** One byte more than may be. */
    @Test
    @Tag("STR-8")
    void aDescriptionThatIsTooLong() throws Exception {
        heap = "256m";
        Path file = folder.resolve("described.save");
        try (Written out = new Written(file, "pc-q35-9.2")) {
            out.ramStart().ramPart().ramEnd();
            out.head(4, DEVICE, "small", 1).u64(5).foot(DEVICE);
            out.end(", \"y\": \"" + "y".repeat(17 << 20) + '"', device("small", 8));
        }
        assertThat(run(1, "verify", file))
                .contains("the VMDESCRIPTION at 8360 has", "allowed are 16777216")
                .doesNotContain("\tat ");
    }

    /** Where the scratch is to be there is no room: the source has its guest. */
    @Test
    @Tag("STR-10")
    void aDiskThatIsFull() throws Exception {
        Path file = full(34);
        Path disk = folder.resolve("small");
        try (Mounted small = Mounted.disk(disk, 8)) {
            Path socket = folder.resolve("s");
            Object[] receive = {
                "receive",
                "unix:" + socket,
                "-o",
                folder.resolve("arrived.save"),
                "--scratch",
                disk,
                "-c",
                "return-path"
            };
            Process receiver = begin(receive);
            try {
                Commands.await(socket);
                Process sender = begin("send", file, "unix:" + socket, "-c", "return-path");
                assertThat(sender.waitFor()).as("%s", said("send")).isEqualTo(1);
                assertThat(ended(receiver, 1, receive))
                        .contains("No space left on device", "bytes could be kept")
                        .contains("the guest is the source's", "--scratch DIR")
                        .doesNotContain("\tat ");
                assertThat(folder.resolve("arrived.save")).doesNotExist();
            } finally {
                receiver.destroyForcibly();
            }
            assertThat(disk).isEmptyDirectory();
        }
    }

    @Test
    @Tag("STR-20")
    void aHashTable() throws Exception {
        Path file = hashTable(34);
        assertSame(file, thereAndBack(file), partMark(), 34L * MIB);
    }

    @Test
    @Tag("STR-20")
    @Tag("stress")
    void aHashTableOfGiBs() throws Exception {
        heap = "256m";
        everyWay(hashTable(2500), "spapr/htab", partMark(), 2500L * MIB);
    }

    private void diskOf(int mibs) throws Exception {
        Path file = disk(mibs);
        assertThat(run(0, "inspect", file)).contains("disk", "can be read in one way only");
        assertThat(run(0, "verify", file)).contains("sound");
        assertSame(file, thereAndBack(file), partMark(), (long) mibs * MIB + 10);
    }

    @Test
    @Tag("STR-24")
    void aDisk() throws Exception {
        diskOf(60);
    }

    @Test
    @Tag("STR-24")
    @Tag("stress")
    void aDiskOfGiBs() throws Exception {
        heap = "256m";
        diskOf(2500);
    }
}
