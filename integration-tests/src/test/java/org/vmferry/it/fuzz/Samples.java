package org.vmferry.it.fuzz;

import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.Captures;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.zip.CRC32C;
import java.util.zip.GZIPInputStream;

/**
 * Genuine inputs: files of the tree, and what the small machine is saved as. The same each time.
 */
final class Samples {
    private static final Settings MAPPED = Settings.NONE.capability("mapped-ram");
    private static final List<String> GOLDEN =
            List.of(
                    "host.stream",
                    "host-uuid.stream",
                    "host-shared.stream",
                    "host.mapped-ram",
                    "host-multifd.mapped-ram",
                    "qemu.stream",
                    "qemu.mapped-ram");

    private static final byte[] LIBVIRT = "LibvirtQemudSave".getBytes(StandardCharsets.US_ASCII);

    private final Path folder;

    Samples(Path folder) {
        this.folder = folder;
    }

    private byte[] saved(Settings settings) throws Exception {
        Path file = folder.resolve("saved");
        Engine.create().send(SmallMachine.full(), "file:" + file, settings).await();
        byte[] bytes = Files.readAllBytes(file);
        Files.delete(file);
        return bytes;
    }

    /** In line; with its trailer, and with XBZRLE's records. */
    List<Sample> streams() throws Exception {
        byte[] plain = saved(Settings.NONE);
        Settings quick = Settings.NONE.parameter("eof-silence", "50");
        return List.of(
                Sample.stream("ours", plain, quick),
                Sample.stream("ours with XBZRLE", withDeltas(plain), quick));
    }

    /** A PART before END, whose records are deltas of pages that came. */
    private static byte[] withDeltas(byte[] plain) {
        String text = new String(plain, StandardCharsets.ISO_8859_1);
        ByteBuffer all = ByteBuffer.wrap(plain);
        int start = text.indexOf("\3ram\0\0\0\0\0\0\0\4") - 4;
        int id = all.getInt(start);
        int end = -1; // of what stands before RAM's END
        for (int i = start; end < 0; i++) {
            boolean footer = all.get(i) == 0x7e && all.getInt(i + 1) == id;
            if (footer && all.get(i + 5) == 3 && all.getInt(i + 6) == id) end = i + 5;
        }
        ByteBuffer part = ByteBuffer.allocate(256);
        part.put((byte) 2).putInt(id);
        part.putLong(0x40).put((byte) 6).put("pc.ram".getBytes(StandardCharsets.US_ASCII));
        part.put((byte) 1).putShort((short) 7).put(new byte[] {5, 2, 9, 9, 6, 1, 3});
        part.putLong(0x1000 | 0x60);
        part.put((byte) 1).putShort((short) 5).put(new byte[] {(byte) 0x80, 1, 2, 7, 8});
        part.putLong(0x10).put((byte) 0x7e).putInt(id);
        byte[] its = Arrays.copyOf(part.array(), part.position());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(plain, 0, end);
        out.writeBytes(its);
        out.write(plain, end, plain.length - end);
        return out.toByteArray();
    }

    /** With a place for each page, which begins close behind the bitmap: small files. */
    List<Sample> mapped() throws Exception {
        byte[] file = compact(saved(MAPPED));
        return List.of(
                Sample.stream("ours, mapped-ram", file, MAPPED),
                Sample.stream("ours, by many threads", file, MAPPED.capability("multifd")));
    }

    /** As ours writes it, some MiB of holes. */
    List<Sample> wideMapped() throws Exception {
        return List.of(Sample.stream("ours, mapped-ram", saved(MAPPED), MAPPED));
    }

    /** The same file with less room before each block's pages; the marks fit again. */
    static byte[] compact(byte[] wide) {
        ByteBuffer in = ByteBuffer.wrap(wide);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        String text = new String(wide, 0, 4096, StandardCharsets.ISO_8859_1);
        int at = text.indexOf("\3ram\0\0\0\0\0\0\0\4") + 12;
        long total = in.getLong(at) & -5;
        at += 8;
        out.write(wide, 0, at);
        while (total > 0) {
            int name = 1 + (wide[at] & 0xff);
            long used = in.getLong(at + name);
            total -= used;
            int header = at + name + 8;
            int bitmap = (int) in.getLong(header + 12);
            int pages = (int) in.getLong(header + 20);
            int words = (int) (used / 4096 + 63) / 64 * 8;
            int newBitmap = out.size() + name + 8 + 28;
            int newPages = newBitmap + words + 16 + 4095 & -4096;
            byte[] block = new byte[newPages - out.size() + (int) used];
            ByteBuffer to = ByteBuffer.wrap(block);
            to.put(wide, at, name + 8 + 12).putLong(newBitmap).putLong(newPages);
            to.put(wide, bitmap, words + 12);
            CRC32C sum = new CRC32C();
            sum.update(block, name + 8, 28 + words);
            to.putInt((int) sum.getValue());
            System.arraycopy(wide, pages, block, newPages - out.size(), (int) used);
            out.writeBytes(block);
            at = pages + (int) used;
        }
        out.write(wide, at, wide.length - at);
        return out.toByteArray();
    }

    /** What QEMU 10.0 and 7.2 wrote, in line. */
    List<Sample> captures() throws IOException {
        List<Sample> all = new ArrayList<>();
        for (String name : Captures.all().toList()) {
            Settings quick = Settings.NONE.parameter("eof-silence", "50");
            all.add(Sample.stream(name, Captures.bytes(name), quick));
        }
        return all;
    }

    /** Files of earlier versions, of hosts and QEMUs, in both layouts, and a QEMU's mapped-ram. */
    List<Sample> files() throws IOException {
        List<Sample> all = new ArrayList<>();
        for (String name : GOLDEN) all.add(file(name, "/golden/0.1/" + name + ".gz"));
        all.add(file("background-mapped", "/streams/background-mapped.gz"));
        return all;
    }

    private static Sample file(String name, String resource) throws IOException {
        try (InputStream file =
                        Objects.requireNonNull(
                                Samples.class.getResourceAsStream(resource), resource);
                InputStream unpacked = new GZIPInputStream(file)) {
            return Sample.stream(name, unpacked.readAllBytes(), Settings.NONE);
        }
    }

    /** libvirt's images of such a stream, plain and packed. */
    List<Sample> images() throws Exception {
        byte[] stream = saved(Settings.NONE);
        byte[] xml = "<domain><name>web</name></domain>\0".getBytes(StandardCharsets.UTF_8);
        List<Sample> all = new ArrayList<>();
        for (int format = 0; format <= 5; format++) {
            byte[] packed = Packed.with(format, stream);
            if (packed.length == 0) continue;
            ByteBuffer image = ByteBuffer.allocate(92 + xml.length + packed.length);
            image.order(ByteOrder.LITTLE_ENDIAN).put(LIBVIRT).putInt(2).putInt(xml.length);
            image.putInt(1).putInt(format).position(92);
            image.put(xml).put(packed);
            all.add(Sample.of("image " + format, Settings.NONE, Samples::image, image.array()));
        }
        return all;
    }

    private static Structure image(byte[] bytes) {
        Structure found = new Structure();
        for (int at = 16; at < 36; at += 4) found.little(at, 4);
        int begin = 92 + ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(20);
        found.piece(0, 92);
        found.piece(92, begin);
        found.text(92, begin);
        for (int at = begin; at < begin + 24; at++) found.little(at, 1);
        for (int at = begin; at < begin + 24; at += 2) found.little(at, 4);
        found.piece(begin, bytes.length);
        return found;
    }

    /** Packed files without a header before them: small ones, and of a lot of the same. */
    List<Sample> packed() throws Exception {
        byte[] stream = saved(Settings.NONE);
        byte[] bomb = Arrays.copyOf(stream, 4 << 20);
        List<Sample> all = new ArrayList<>();
        for (int format = 1; format <= 5; format++) {
            for (byte[] content : List.of(stream, bomb)) {
                byte[] bytes = Packed.with(format, content);
                if (bytes.length == 0) continue;
                all.add(Sample.of("packed " + format, Settings.NONE, Structure::ofBytes, bytes));
            }
        }
        return all;
    }

    /** All of some lists. */
    @SafeVarargs
    static List<Sample> all(List<Sample>... lists) {
        List<Sample> all = new ArrayList<>();
        for (List<Sample> list : lists) all.addAll(list);
        return all;
    }
}
