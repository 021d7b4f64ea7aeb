package org.vmferry.it.hostile;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.Commands;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/** Files in which such names stand where a genuine one has others. */
final class HostileBytes {
    private static final Pattern WORD = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_./:-]{2,}");

    private static final int LIBVIRT = 92; // bytes of its header

    private final HostileNames host;

    HostileBytes(HostileNames host) {
        this.host = host;
    }

    void all() throws Exception {
        streams();
        trailers();
        images();
    }

    /** libvirt's, whose XML has such a name, as it is and in a reference; and the same, damaged. */
    private void images() throws Exception {
        Path stream = host.folder.resolve("in-an-image");
        HostileNames.end(host.save(HostileNames.guest(HostileNames.NAME), stream, Settings.NONE));
        byte[] all = Files.readAllBytes(stream);
        for (String name : List.of(HostileNames.NAME, "&#27;&#10;EVIL&#x202e;", "EVIL\033'")) {
            for (int length : new int[] {all.length, all.length / 2, 1}) {
                byte[] xml = ("<domain><name>" + name + "</name></domain>\0").getBytes(UTF_8);
                ByteBuffer image = ByteBuffer.allocate(LIBVIRT + xml.length + length);
                image.order(ByteOrder.LITTLE_ENDIAN).put("LibvirtQemudSave".getBytes(UTF_8));
                image.putInt(2).putInt(xml.length).putInt(1).position(LIBVIRT);
                image.put(xml).put(all, 0, length);
                Path file = host.folder.resolve("image");
                Files.write(file, image.array());
                command("inspect", file);
                command("inspect", file, "--json");
                command("inspect", file, "--device", HostileNames.NAME);
                command("verify", file);
                command("extract", file, "--block", HostileNames.NAME, "-o", file + ".raw");
                command("extract", file, "--block", name, "-o", file + ".raw");
                command("convert", file, file + ".save", "--format", "mapped-ram");
            }
        }
    }

    /** All that it prints. */
    private static void command(Object... arguments) {
        HostileNames.attempt(
                "vmferry " + arguments[0],
                () -> {
                    Commands command = new Commands();
                    command.run(arguments);
                    System.err.println(command.out() + command.err());
                });
    }

    /** Each word of a stream, one after another: names, states, keys and values of its text. */
    private void streams() throws Exception {
        for (Settings settings : List.of(Settings.NONE, HostileNames.MAPPED)) {
            Path file = host.folder.resolve("plain" + settings.capabilities().size());
            HostileNames.end(host.save(HostileNames.guest("machine"), file, settings));
            byte[] all = Files.readAllBytes(file);
            Path changed = host.folder.resolve("changed");
            String text = new String(all, StandardCharsets.ISO_8859_1);
            for (Matcher word = WORD.matcher(text); word.find(); ) {
                for (boolean escaped : new boolean[] {false, true}) {
                    byte[] other = word(word.group().length(), escaped);
                    if (other.length == 0) continue;
                    byte[] bytes = all.clone();
                    System.arraycopy(other, 0, bytes, word.start(), other.length);
                    Files.write(changed, bytes);
                    HostileNames.attempt("inspect", () -> host.engine.inspect("file:" + changed));
                    HostileNames.attempt(
                            "load",
                            () ->
                                    HostileNames.end(
                                            host.load(
                                                    HostileNames.guest("machine"),
                                                    changed,
                                                    settings)));
                    HostileNames.attempt("keep", () -> host.keep(changed, settings));
                }
            }
        }
    }

    /** Another word of that length; in JSON escapes of it count, too. */
    private static byte[] word(int length, boolean escaped) {
        String hostile = escaped ? "\\u001b\\n\\u202e\\u2028" : "\u001b\r\nEVIL\u202e\u2028";
        if (escaped) hostile = length < 6 ? "" : hostile.substring(0, Math.min(length, 6));
        else if (length < 13) hostile = "\u001b\r\n";
        byte[] bytes = hostile.getBytes(StandardCharsets.UTF_8);
        byte[] word = new byte[bytes.length == 0 ? 0 : length];
        Arrays.fill(word, (byte) 'x');
        System.arraycopy(bytes, 0, word, 0, bytes.length);
        return word;
    }

    /** The text behind a stream, with a checksum that fits, and one that does not. */
    private void trailers() throws Exception {
        Path file = host.folder.resolve("trailer");
        HostileNames.end(host.save(HostileNames.guest("machine"), file, Settings.NONE));
        byte[] all = Files.readAllBytes(file);
        String text = new String(all, StandardCharsets.ISO_8859_1);
        int begin = text.lastIndexOf("vmferry 1\n");
        for (String line :
                List.of(
                        "writer " + HostileNames.NAME,
                        "missing-ram " + HostileNames.NAME,
                        HostileNames.NAME + " x")) {
            byte[] lines = ("vmferry 1\n" + line + "\n").getBytes(StandardCharsets.UTF_8);
            var sum = new CRC32C();
            sum.update(lines);
            for (long value : new long[] {sum.getValue(), 1}) {
                byte[] last = "crc32c %08x\n".formatted(value).getBytes(StandardCharsets.UTF_8);
                ByteBuffer bytes = ByteBuffer.allocate(begin + lines.length + last.length);
                bytes.put(all, 0, begin).put(lines).put(last);
                Files.write(file, bytes.array());
                HostileNames.attempt("trailer", () -> host.engine.inspect("file:" + file));
                HostileNames.attempt(
                        "trailer",
                        () ->
                                HostileNames.end(
                                        host.load(
                                                HostileNames.guest("machine"),
                                                file,
                                                Settings.NONE)));
                HostileNames.attempt("trailer", () -> host.keep(file, Settings.NONE));
            }
        }
    }
}
