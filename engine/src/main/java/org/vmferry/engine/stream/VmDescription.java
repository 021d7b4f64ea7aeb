package org.vmferry.engine.stream;

import org.vmferry.engine.json.Json;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The JSON at the stream's end (rules STR-8 to STR-10): the only thing that tells how long a
 * device's section is.
 *
 * @param pageSize the target's, in bytes
 * @param devices in wire order
 */
public record VmDescription(int pageSize, List<Device> devices) {
    private static final int LONGEST_NAME = 255; // bytes

    /** The most that is read of one. */
    public static final int LONGEST = 16 << 20;

    private static final long LONGEST_SECTION = 1L << 40;

    /**
     * A device as described.
     *
     * @param name its name
     * @param instance tells devices of one name apart
     * @param length of its payload, in bytes
     */
    public record Device(String name, int instance, long length) {}

    /** Reads a description. */
    public static VmDescription parse(byte[] json) throws MigrationException {
        Object top;
        try {
            top = Json.parse(json);
        } catch (IOException e) {
            throw new MigrationException(Blame.PEER, "the VMDESCRIPTION: " + e.getMessage(), e);
        }
        Map<?, ?> description = object(top, "VMDESCRIPTION");
        List<Device> devices = new ArrayList<>();
        for (Object item : list(description, "devices")) {
            Map<?, ?> device = object(item, "devices");
            devices.add(
                    new Device(
                            name(device, "name"),
                            (int) number(device, "instance_id", 0xffffffffL),
                            length(device)));
        }
        return new VmDescription(
                (int) number(description, "page_size", 1 << 30), List.copyOf(devices));
    }

    /**
     * The page size that a description gives. It is asked also of one that a QEMU would pass over.
     *
     * @return bytes; empty if it gives none
     */
    static OptionalLong pageSize(byte[] json) {
        try {
            return Json.parse(json) instanceof Map<?, ?> top
                            && top.get("page_size") instanceof Long size
                    ? OptionalLong.of(size)
                    : OptionalLong.empty();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    /** Fields and subsections, recursively (rules STR-9, STR-10). */
    static long length(Map<?, ?> state) throws MigrationException {
        long length = 0;
        for (Object item : list(state, "fields")) {
            Map<?, ?> field = object(item, "fields");
            long count =
                    field.containsKey("array_len")
                            ? number(field, "array_len", Integer.MAX_VALUE)
                            : 1;
            length = limited(length + number(field, "size", Integer.MAX_VALUE) * count);
        }
        for (Object item : list(state, "subsections")) {
            Map<?, ?> subsection = object(item, "subsections");
            int name = name(subsection, "vmsd_name").getBytes(StandardCharsets.UTF_8).length;
            length = limited(length + 6 + name + length(subsection));
        }
        return length;
    }

    /** Each summand is under 2^62, so that no sum wraps before it is looked at. */
    private static long limited(long length) throws MigrationException {
        if (length >= 0 && length <= LONGEST_SECTION) return length;
        throw wrong("a section's length", length, "0 to " + LONGEST_SECTION);
    }

    private static Map<?, ?> object(Object value, String key) throws MigrationException {
        if (value instanceof Map<?, ?> map) return map;
        throw wrong(key, value, "an object");
    }

    static List<?> list(Map<?, ?> of, String key) throws MigrationException {
        Object value = of.get(key);
        if (value == null) return List.of();
        if (value instanceof List<?> list) return list;
        throw wrong(key, value, "an array");
    }

    /** A name that the stream may have, too, behind a byte that says how long it is. */
    private static String name(Map<?, ?> of, String key) throws MigrationException {
        if (!(of.get(key) instanceof String text)) throw wrong(key, of.get(key), "a string");
        if (text.getBytes(StandardCharsets.UTF_8).length <= LONGEST_NAME) return text;
        throw wrong(key, text, "a name of at most " + LONGEST_NAME + " bytes");
    }

    private static long number(Map<?, ?> of, String key, long limit) throws MigrationException {
        if (of.get(key) instanceof Long value && value >= 0 && value <= limit) return value;
        throw wrong(key, of.get(key), "0 to " + limit);
    }

    private static MigrationException wrong(String key, Object value, String allowed) {
        String text = String.valueOf(value);
        if (text.length() > 40) text = text.substring(0, 40) + "…";
        return MigrationException.peer(
                "in the VMDESCRIPTION '%s' is %s, must be %s", key, text, allowed);
    }
}
