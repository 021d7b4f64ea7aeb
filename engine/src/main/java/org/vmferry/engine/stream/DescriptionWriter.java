package org.vmferry.engine.stream;

import org.vmferry.engine.json.Json;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.machine.SectionStore.Subsection;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes VMDESCRIPTIONs that fit the bytes before them (rule STR-14), in QEMU's words, so that its
 * own script can read such a stream.
 */
final class DescriptionWriter {
    private static final String CONFIGURATION = "configuration";

    /** A section that was written; a field of it is a name, a type and a length in bytes. */
    record Written(String id, int instance, int version, List<Field> fields) {}

    /** A part of a section: elements of one length in bytes. */
    record Field(String name, String type, long size, int count) {
        Field(String name, String type, long size) {
            this(name, type, size, 1);
        }
    }

    private DescriptionWriter() {}

    /** The description of a machine of ours. */
    static byte[] describe(Configuration configuration, int pageSize, List<Written> sections) {
        List<Object> devices = new ArrayList<>();
        for (Written section : sections) {
            Map<String, Object> device = new LinkedHashMap<>(); // the same bytes every time
            device.put("name", section.id());
            device.put("instance_id", Integer.toUnsignedLong(section.instance()));
            device.put("vmsd_name", section.id());
            device.put("version", Integer.toUnsignedLong(section.version()));
            device.put("fields", fields(section.fields()));
            devices.add(device);
        }
        Map<String, Object> top = new LinkedHashMap<>();
        if (!configuration.machine().isEmpty()) top.put(CONFIGURATION, described(configuration));
        top.put("page_size", pageSize);
        top.put("devices", devices);
        return Json.write(top).getBytes(StandardCharsets.UTF_8);
    }

    /**
     * The description of a machine that was kept. What it says of the configuration is said anew
     * where another one is written than came; all else stays as it came, byte for byte.
     *
     * @param kept as it came; empty if none did, and then none is made
     * @param configuration what this stream begins with
     */
    static byte[] fit(byte[] kept, Configuration configuration) throws MigrationException {
        if (kept.length == 0) return kept;
        Object said = configuration.machine().isEmpty() ? null : described(configuration);
        try {
            byte[] fit = Json.withMember(kept, CONFIGURATION, said);
            if (fit.length > VmDescription.LONGEST) {
                throw new IOException("it would be over %d bytes".formatted(VmDescription.LONGEST));
            }
            return fit;
        } catch (IOException e) {
            throw new MigrationException(
                    Blame.HOST,
                    "the VMDESCRIPTION that was kept can't be written again: " + e.getMessage(),
                    e);
        }
    }

    private static Map<String, Object> described(Configuration configuration) {
        int length = configuration.machine().getBytes(StandardCharsets.UTF_8).length;
        Map<String, Object> said =
                state(
                        CONFIGURATION,
                        1,
                        List.of(
                                new Field("len", "uint32", 4),
                                new Field("name", "buffer", length)));
        List<Object> subsections = new ArrayList<>();
        for (Subsection subsection : configuration.subsections()) {
            subsections.add(
                    state(
                            subsection.name(),
                            subsection.version(),
                            StreamHeader.fields(subsection)));
        }
        if (!subsections.isEmpty()) said.put("subsections", subsections);
        return said;
    }

    private static Map<String, Object> state(String name, int version, List<Field> fields) {
        Map<String, Object> state = new LinkedHashMap<>();
        state.put("vmsd_name", name);
        state.put("version", version);
        state.put("fields", fields(fields));
        return state;
    }

    private static List<Object> fields(List<Field> fields) {
        List<Object> said = new ArrayList<>();
        for (Field field : fields) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", field.name());
            if (field.count() > 1) one.put("array_len", field.count());
            one.put("type", field.type());
            one.put("size", field.size());
            said.add(one);
        }
        return said;
    }
}
