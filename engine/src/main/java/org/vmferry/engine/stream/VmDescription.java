package org.vmferry.engine.stream;

import org.vmferry.engine.json.Json;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON at the stream's end (rules STR-8 to STR-10): the only thing that tells how long a
 * device's section is.
 *
 * @param pageSize the target's, in bytes
 * @param devices in wire order
 */
public record VmDescription(int pageSize, List<Device> devices) {
    /** The most that is read of one. */
    public static final int LONGEST = 16 << 20;

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
        try {
            Map<?, ?> top = (Map<?, ?>) Json.parse(json);
            List<Device> devices = new ArrayList<>();
            for (Object item : list(top, "devices")) {
                Map<?, ?> device = (Map<?, ?>) item;
                devices.add(
                        new Device(
                                (String) device.get("name"),
                                Math.toIntExact(number(device, "instance_id")),
                                length(device)));
            }
            return new VmDescription(
                    Math.toIntExact(number(top, "page_size")), List.copyOf(devices));
        } catch (IOException | ClassCastException | NullPointerException | ArithmeticException e) {
            throw new MigrationException(
                    Blame.PEER, "the VMDESCRIPTION makes no sense: " + e.getMessage(), e);
        }
    }

    /** Fields and subsections, recursively (rule STR-9). */
    private static long length(Map<?, ?> state) {
        long length = 0;
        for (Object item : list(state, "fields")) {
            Map<?, ?> field = (Map<?, ?>) item;
            long count = field.containsKey("array_len") ? number(field, "array_len") : 1;
            length = Math.addExact(length, Math.multiplyExact(number(field, "size"), count));
        }
        for (Object item : list(state, "subsections")) {
            Map<?, ?> subsection = (Map<?, ?>) item;
            int name =
                    ((String) subsection.get("vmsd_name")).getBytes(StandardCharsets.UTF_8).length;
            length = Math.addExact(length, Math.addExact(6 + name, length(subsection)));
        }
        return length;
    }

    private static List<?> list(Map<?, ?> of, String key) {
        Object value = of.get(key);
        return value == null ? List.of() : (List<?>) value;
    }

    private static long number(Map<?, ?> of, String key) {
        long value = ((Number) of.get(key)).longValue();
        if (value < 0) throw new ArithmeticException(key + " is " + value);
        return value;
    }

    /** The description of a machine of ours, whose payloads are a length and so many bytes. */
    static byte[] describe(String machine, int pageSize, List<Written> sections) {
        List<Object> devices = new ArrayList<>();
        for (Written section : sections) {
            Map<String, Object> data = new LinkedHashMap<>();
            data.put("name", "data");
            data.put("type", "buffer");
            data.put("size", section.length());
            Map<String, Object> device = new LinkedHashMap<>();
            device.put("name", section.id());
            device.put("instance_id", section.instance());
            device.put("vmsd_name", section.id());
            device.put("version", section.version());
            device.put("fields", List.of(data));
            devices.add(device);
        }
        Map<String, Object> top = new LinkedHashMap<>();
        top.put(
                "configuration",
                Map.of("vmsd_name", "configuration", "version", 1, "fields", List.of()));
        top.put("page_size", pageSize);
        top.put("devices", devices);
        return Json.write(top).getBytes(StandardCharsets.UTF_8);
    }

    /** A section that was written. */
    record Written(String id, int instance, int version, long length) {}
}
