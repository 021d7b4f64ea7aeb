package org.vmferry.it.support;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmferry.engine.json.Json;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Walks a stream and its VMDESCRIPTION together: every byte outside RAM must be in a field that the
 * description names, and every field in the stream. It shares no code with what it checks.
 */
public final class DescribedStream {
    private static final int CONTINUE = 0x20;

    private final ByteBuffer bytes;
    private final boolean mapped;
    private final boolean addresses;
    private final int end; // of the description
    private final Map<?, ?> description;

    /** The devices that were walked over, each with its instance. */
    public final List<String> devices = new ArrayList<>();

    private DescribedStream(byte[] all) throws IOException {
        bytes = ByteBuffer.wrap(all);
        String text = new String(all, StandardCharsets.ISO_8859_1);
        mapped = text.substring(0, 200).contains("mapped-ram");
        addresses = text.substring(0, 200).contains("x-ignore-shared");
        int begin = text.lastIndexOf("\0\6", text.lastIndexOf("\"page_size\""));
        while (text.charAt(begin + 6) != '{') begin = text.lastIndexOf("\0\6", begin - 1);
        end = begin + 6 + bytes.getInt(begin + 2);
        String json = text.substring(begin + 6, end);
        description = (Map<?, ?>) Json.parse(json.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Fails unless the stream in this file fits its description. */
    public static DescribedStream check(Path file) throws IOException {
        return check(Files.readAllBytes(file));
    }

    /** Fails unless this stream fits its description. */
    public static DescribedStream check(byte[] all) throws IOException {
        DescribedStream stream = new DescribedStream(all);
        stream.walk();
        return stream;
    }

    private void walk() {
        assertThat(text(4)).isEqualTo("QEVM");
        assertThat(u32()).isEqualTo(3);
        int mark = u8();
        Object configuration = description.get("configuration");
        assertThat(configuration == null).as("no configuration").isEqualTo(mark != 7);
        if (mark == 7) {
            int length = bytes.getInt(bytes.position());
            state(configuration);
            assertThat(sizes(configuration)).containsExactly(4L, (long) length);
            mark = u8();
        }
        var described = ((List<?>) description.get("devices")).iterator();
        for (; mark != 0; mark = u8()) {
            switch (mark) {
                case 8 -> {
                    u16();
                    skip(u16());
                }
                case 1, 2, 3 -> ram(mark == 1);
                case 4 -> {
                    int id = u32();
                    Map<?, ?> device = (Map<?, ?>) described.next();
                    String name = str8();
                    assertThat(name).isEqualTo(device.get("name"));
                    assertThat(u32() & 0xffffffffL).isEqualTo(device.get("instance_id"));
                    int version = u32();
                    if (device.containsKey("version")) {
                        assertThat((long) version).as(name).isEqualTo(device.get("version"));
                    }
                    state(device);
                    footer(name, id);
                    devices.add(name + "/" + device.get("instance_id"));
                }
                default -> throw new AssertionError("mark " + mark + " at " + bytes.position());
            }
        }
        assertThat(described.hasNext()).as("a device that is not there").isFalse();
        assertThat(u8()).isEqualTo(6);
        assertThat(u32() + bytes.position()).isEqualTo(end);
    }

    /** Fields and subsections; with these in the place where they are said to be. */
    private void state(Object described) {
        Map<?, ?> state = (Map<?, ?>) described;
        for (long size : sizes(state)) skip(Math.toIntExact(size));
        Object subsections = Objects.requireNonNullElse(state.get("subsections"), List.of());
        for (Object each : (List<?>) subsections) {
            Map<?, ?> subsection = (Map<?, ?>) each;
            assertThat(u8()).as("the mark of %s", subsection.get("vmsd_name")).isEqualTo(5);
            assertThat(str8()).isEqualTo(subsection.get("vmsd_name"));
            assertThat((long) u32()).isEqualTo(subsection.get("version"));
            state(subsection);
        }
    }

    private static List<Long> sizes(Object state) {
        List<Long> sizes = new ArrayList<>();
        for (Object each : (List<?>) ((Map<?, ?>) state).get("fields")) {
            Map<?, ?> field = (Map<?, ?>) each;
            Long count = (Long) field.get("array_len");
            sizes.add((Long) field.get("size") * (count == null ? 1 : count));
        }
        return sizes;
    }

    private void ram(boolean start) {
        int id = u32();
        if (start) {
            assertThat(str8()).isEqualTo("ram");
            skip(8);
            blocks(u64() & ~4L);
        }
        records();
        footer("ram", id);
    }

    private void blocks(long total) {
        while (total > 0) {
            str8();
            long used = u64();
            if (addresses) u64();
            total -= used;
            if (!mapped) continue;
            skip(20);
            bytes.position(Math.toIntExact(u64() + used));
        }
    }

    private void records() {
        int page = Math.toIntExact((Long) description.get("page_size"));
        while (true) {
            long flags = u64() & (page - 1);
            if (flags == 0x10) return;
            if (flags == 0x200) continue;
            if ((flags & CONTINUE) == 0) str8();
            skip((flags & 8) != 0 ? page : 1);
            assertThat(flags & ~CONTINUE).isIn(2L, 8L);
        }
    }

    private void footer(String name, int id) {
        assertThat(u8()).as("the footer of %s at %d", name, bytes.position() - 1).isEqualTo(0x7e);
        assertThat(u32()).isEqualTo(id);
    }

    private void skip(int count) {
        bytes.position(bytes.position() + count);
    }

    private int u8() {
        return bytes.get() & 0xff;
    }

    private int u16() {
        return bytes.getShort() & 0xffff;
    }

    private int u32() {
        return bytes.getInt();
    }

    private long u64() {
        return bytes.getLong();
    }

    private String str8() {
        return text(u8());
    }

    private String text(int length) {
        byte[] text = new byte[length];
        bytes.get(text);
        return new String(text, StandardCharsets.UTF_8);
    }
}
