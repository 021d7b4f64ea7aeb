package org.vmferry.it.fuzz;

import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.transport.TransportProvider;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A jar with plug-ins whose classes load, or not, once some of its entries were changed.
 *
 * @param entries in their order; a name may come twice
 */
record Jar(List<Entry> entries) {
    /** One of them, and how it is walked. */
    record Entry(String name, byte[] content, Function<byte[], Structure> walk) {}

    private static final String LISTS = "META-INF/services/";
    private static final String NOTIFIERS = LISTS + MigrationNotifier.class.getName();
    private static final String TRANSPORTS = LISTS + TransportProvider.class.getName();
    private static final String CODECS = LISTS + CompressionProvider.class.getName();

    /** Lines of a manifest, or of a list of services. */
    private static final List<String> LINES =
            List.of(
                    "\ufeff",
                    "\ufefforg.vmferry.it.fuzz.LittleNotifier\n",
                    "org.vmferry.it.fuzz.LittleNotifier # little\n",
                    "org.vmferry.it.fuzz.LittleCodec\r",
                    "  \t \n\n\r\n#\n",
                    "# " + "x".repeat(70_000) + "\n",
                    "x.".repeat(35_000) + "Y\n",
                    "java.lang.Runnable\njava.util.AbstractList\njava.lang.Thread\n",
                    "int\n",
                    "[I\n",
                    "x/y\n",
                    "..\n",
                    "\u001b[31m.\u202e\n",
                    "Class-Path: a.jar b.jar ../../../x.jar file:/ %zz\n",
                    "Class-Path: " + "a ".repeat(30_000) + "\n",
                    "Multi-Release: true\n",
                    "Sealed: true\n",
                    "Automatic-Module-Name: -\n",
                    "Manifest-Version: 9\n\nName: x\n" + "Y: z\n".repeat(1000),
                    "X".repeat(600) + ": y\n",
                    " continued\n",
                    ":\n",
                    "no line's end");

    private static final List<String> NAMES =
            List.of(
                    "META-INF/INDEX.LIST",
                    "META-INF/A.SF",
                    "META-INF/A.RSA",
                    "META-INF/versions/9/org/vmferry/it/fuzz/LittleNotifier.class",
                    "META-INF/versions/99/" + NOTIFIERS,
                    "META-INF/versions/x/y",
                    "META-INF/services/",
                    "META-INF/services/org.vmferry.spi.Unknown",
                    "module-info.class",
                    "org/vmferry/spi/option/Provider.class",
                    "java/lang/Object.class",
                    "../../x.class",
                    "/etc/x",
                    "\u001b[31m\n",
                    "x".repeat(60_000));

    /** As it should be: a notifier and a codec; and a line for a class that is not there. */
    static Jar genuine(boolean lacks) throws IOException {
        List<Entry> entries = new ArrayList<>();
        entries.add(text("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nCreated-By: us\n\n"));
        entries.add(text(NOTIFIERS, "# ours\norg.vmferry.it.fuzz.LittleNotifier\n"));
        entries.add(text(CODECS, "org.vmferry.it.fuzz.LittleCodec\n"));
        if (lacks) entries.add(text(TRANSPORTS, "x.Y\njava.lang.String\n"));
        for (Class<?> type : List.of(LittleNotifier.class, LittleCodec.class)) {
            String name = type.getName().replace('.', '/') + ".class";
            try (InputStream in = type.getResourceAsStream("/" + name)) {
                byte[] bytes = Objects.requireNonNull(in, name).readAllBytes();
                entries.add(new Entry(name, bytes, Jar::classFile));
            }
        }
        return new Jar(entries);
    }

    private static Entry text(String name, String text) {
        return new Entry(name, text.getBytes(StandardCharsets.UTF_8), Structure::ofLines);
    }

    /** With one to three changes. */
    Jar changed(SplittableRandom random) {
        List<Entry> all = new ArrayList<>(entries);
        for (int i = 1 + random.nextInt(6) / 3; i > 0; i--) {
            int at = random.nextInt(all.size());
            Entry entry = all.get(at);
            Entry other = all.get(random.nextInt(all.size()));
            switch (random.nextInt(8)) {
                case 0 -> all.add(random.nextInt(all.size() + 1), entry); // twice
                case 1 -> all.add(new Entry(entry.name, other.content, other.walk));
                case 2 -> {
                    byte[] lines = Format.one(random, LINES).getBytes(StandardCharsets.UTF_8);
                    boolean first = random.nextBoolean();
                    byte[] both =
                            first ? joined(lines, entry.content) : joined(entry.content, lines);
                    all.set(at, new Entry(entry.name, both, entry.walk));
                }
                case 3 -> {
                    String name = Format.one(random, NAMES);
                    all.add(new Entry(name, entry.content, entry.walk));
                }
                default -> {
                    byte[] bytes =
                            new Mutator(random)
                                    .change(
                                            entry.content,
                                            entry.walk.apply(entry.content),
                                            other.content,
                                            other.walk.apply(other.content));
                    all.set(at, new Entry(entry.name, bytes, entry.walk));
                }
            }
        }
        return new Jar(all);
    }

    private static byte[] joined(byte[] first, byte[] second) {
        ByteBuffer both = ByteBuffer.allocate(first.length + second.length);
        return both.put(first).put(second).array();
    }

    /** Packed; names that come twice get there behind the packer's back. */
    byte[] bytes() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        List<String> names = new ArrayList<>();
        List<String> twice = new ArrayList<>();
        try (ZipOutputStream jar = new ZipOutputStream(bytes)) {
            for (Entry one : entries) {
                String name = one.name;
                while (names.contains(name)) name = name + '~';
                if (!name.equals(one.name)) {
                    // Of the same length: its last letters make room.
                    String first = name;
                    for (int i = 0; names.contains(first) || first.equals(name); i++) {
                        first = one.name.substring(0, one.name.length() - 2) + "~" + i;
                    }
                    twice.add(one.name);
                    name = first;
                }
                names.add(name);
                ZipEntry entry = new ZipEntry(name);
                entry.setTime(0);
                jar.putNextEntry(entry);
                jar.write(one.content);
                jar.closeEntry();
            }
        }
        byte[] all = bytes.toByteArray();
        for (String name : twice) rename(all, name.getBytes(StandardCharsets.UTF_8));
        return all;
    }

    private static void rename(byte[] all, byte[] name) {
        for (int at = 0; at + name.length <= all.length; at++) {
            if (all[at + name.length - 2] != '~') continue;
            int same = 0;
            while (same < name.length - 2 && all[at + same] == name[same]) same++;
            if (same == name.length - 2) System.arraycopy(name, 0, all, at, name.length);
        }
    }

    /** Numbers of a class file: versions, constants, and behind them everything of two bytes. */
    private static Structure classFile(byte[] bytes) {
        Structure found = new Structure();
        ByteBuffer all = ByteBuffer.wrap(bytes);
        if (bytes.length < 10) return found;
        found.field(0, 4);
        for (int at = 4; at < 10; at += 2) found.field(at, 2);
        int at = 10;
        try {
            for (int left = (all.getShort(8) & 0xffff) - 1; left > 0; left--) {
                int tag = all.get(at);
                int length =
                        switch (tag) {
                            case 1 -> 3 + (all.getShort(at + 1) & 0xffff);
                            case 5, 6 -> 9;
                            case 7, 8, 16, 19, 20 -> 3;
                            case 15 -> 4;
                            default -> 5;
                        };
                if (tag == 5 || tag == 6) left--;
                found.field(at, 1);
                found.field(at + 1, 2);
                if (tag == 1) found.text(at + 3, at + length);
                found.piece(at, at + length);
                at += length;
            }
        } catch (IndexOutOfBoundsException e) {
            return found; // it was changed before
        }
        for (; at + 2 <= bytes.length; at += 2) found.field(at, 2);
        return found;
    }
}
