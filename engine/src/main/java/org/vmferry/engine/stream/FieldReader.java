package org.vmferry.engine.stream;

import org.vmferry.engine.json.Json;
import org.vmferry.engine.report.DeviceField;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Gives the bytes of a device's section the names of its VMDESCRIPTION (rule STR-15). Where the
 * description and the bytes don't fit, the bytes stand as they are, with a note: whatever a
 * description says, each byte is in one field.
 */
public final class FieldReader {
    /** Real devices have some thousands. */
    static final int MOST = 1 << 17;

    /** Types whose bytes are no number, of any length. */
    private static final Set<String> NO_NUMBERS =
            Set.of("buffer", "unused_buffer", "pci config", "bitmap", "str", "struct");

    private static final Set<String> BYTES = Set.of("uint8", "int8");

    private final ByteBuffer payload;
    private final Map<Object, Long> lengths = new IdentityHashMap<>();
    private int left = MOST;

    private FieldReader(ByteBuffer payload) {
        this.payload = payload;
    }

    /** What tells devices apart in {@link #devices}. */
    public static String key(String name, int instance) {
        return Integer.toUnsignedString(instance) + "/" + name;
    }

    /**
     * The devices that a description describes.
     *
     * @param description as it stands behind the stream; empty if there is none
     * @return by {@link #key}; of equal ones the first; nothing without a description
     * @throws MigrationException if it is none
     */
    public static Optional<Map<String, Map<?, ?>>> devices(byte[] description)
            throws MigrationException {
        if (description.length == 0) return Optional.empty();
        Map<String, Map<?, ?>> devices = new HashMap<>();
        try {
            if (!(Json.parse(description) instanceof Map<?, ?> top)) {
                throw new IOException("it is no object");
            }
            for (Object each : VmDescription.list(top, "devices")) {
                if (each instanceof Map<?, ?> device
                        && device.get("name") instanceof String name
                        && device.get("instance_id") instanceof Long number) {
                    devices.putIfAbsent(key(name, number.intValue()), device);
                }
            }
            return Optional.of(devices);
        } catch (IOException e) {
            throw new MigrationException(Blame.PEER, "the VMDESCRIPTION: " + e.getMessage(), e);
        }
    }

    /**
     * The fields of one device.
     *
     * @param devices those that are described
     * @param payload of the device's section
     * @throws MigrationException if others are described
     */
    public static List<DeviceField> read(
            Optional<Map<String, Map<?, ?>>> devices, String name, int instance, ByteBuffer payload)
            throws MigrationException {
        FieldReader reader = new FieldReader(payload.slice().asReadOnlyBuffer());
        if (devices.isEmpty()) {
            return List.of(
                    reader.raw(
                            0,
                            payload.remaining(),
                            "the stream has no VMDESCRIPTION: the names of its fields are lost"));
        }
        Map<?, ?> device = devices.get().get(key(name, instance));
        if (device != null) return reader.whole(device);
        throw MigrationException.peer(
                "the VMDESCRIPTION has no device '%s' instance %d",
                name, Integer.toUnsignedLong(instance));
    }

    private List<DeviceField> whole(Map<?, ?> device) {
        List<DeviceField> fields = new ArrayList<>();
        String note = misfit(device, payload.remaining());
        if (note.isEmpty()) state(device, 0, payload.remaining(), fields);
        else fields.add(raw(0, payload.remaining(), note));
        return fields;
    }

    /** Why this description is none of so many bytes; empty if it is. */
    private String misfit(Map<?, ?> state, long length) {
        Long described = lengths.get(state);
        if (described == null) {
            try {
                described = VmDescription.length(state);
            } catch (MigrationException e) {
                return e.getMessage();
            }
            lengths.put(state, described);
        }
        return described == length
                ? ""
                : "its description names %d of its %d bytes".formatted(described, length);
    }

    /** Fields and subsections, whose lengths make up the whole. */
    private void state(Map<?, ?> state, int from, int to, List<DeviceField> into) {
        int at = from;
        String last = null;
        int index = -1;
        for (Object each : items(state, "fields")) {
            Map<?, ?> field = (Map<?, ?>) each;
            int size = Math.toIntExact((Long) field.get("size"));
            long count = field.get("array_len") instanceof Long number ? number : 1;
            String name = text(field, "name");
            // Of the last element some QEMUs leave the index out.
            boolean goesOn = name.equals(last) && index >= 0;
            index = field.get("index") instanceof Long i ? i.intValue() : goesOn ? index + 1 : -1;
            last = name;
            if (full(at, to, into)) return;
            int end = Math.toIntExact(at + size * count);
            boolean array = field.containsKey("array_len");
            if (!array || size == 0 || BYTES.contains(text(field, "type"))) {
                OptionalInt number = index < 0 ? OptionalInt.empty() : OptionalInt.of(index);
                into.add(field(field, number, at, end));
            } else {
                for (int i = 0; i < count; i++) {
                    int start = at + i * size;
                    if (full(start, to, into)) return;
                    into.add(field(field, OptionalInt.of(i), start, start + size));
                }
            }
            at = end;
        }
        for (Object each : items(state, "subsections")) {
            if (full(at, to, into)) return;
            Map<?, ?> subsection = (Map<?, ?>) each;
            String name = text(subsection, "vmsd_name");
            int head = 6 + name.getBytes(StandardCharsets.UTF_8).length;
            int end = Math.toIntExact(at + head + lengths.computeIfAbsent(subsection, this::known));
            into.add(subsection(subsection, name, at, at + head, end));
            at = end;
        }
    }

    /** Its length was reckoned once, as a part of the whole's. */
    private Long known(Object state) {
        try {
            return VmDescription.length((Map<?, ?>) state);
        } catch (MigrationException e) {
            throw new IllegalStateException(e);
        }
    }

    private DeviceField subsection(Map<?, ?> state, String name, int at, int body, int end) {
        byte[] head = new byte[body - 4 - at];
        payload.get(at, head);
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        boolean fits =
                head[0] == Wire.SUBSECTION
                        && (head[1] & 0xff) == text.length
                        && Arrays.equals(head, 2, head.length, text, 0, text.length);
        List<DeviceField> fields = new ArrayList<>();
        if (fits) state(state, body, end, fields);
        return new DeviceField(
                name,
                OptionalInt.empty(),
                "subsection",
                at,
                payload.slice(at, end - at),
                Optional.empty(),
                List.copyOf(fields),
                fits ? "" : "it does not begin here, as its description has it");
    }

    private DeviceField field(Map<?, ?> field, OptionalInt index, int at, int end) {
        String type = text(field, "type");
        Map<?, ?> inner = null;
        if (field.get("struct") instanceof Map<?, ?> struct) inner = struct;
        else if (field.containsKey("fields")) inner = field;
        List<DeviceField> fields = new ArrayList<>();
        String note = "";
        if (inner != null && end > at) {
            note = misfit(inner, end - at);
            if (note.isEmpty()) state(inner, at, end, fields);
        }
        if (type.equals("nullptr")) note = "a null pointer";
        Optional<BigInteger> number =
                inner == null && !type.equals("nullptr") ? number(type, at, end) : Optional.empty();
        return new DeviceField(
                text(field, "name"),
                index,
                type,
                at,
                payload.slice(at, end - at),
                number,
                List.copyOf(fields),
                note);
    }

    private Optional<BigInteger> number(String type, int at, int end) {
        int size = end - at;
        if (NO_NUMBERS.contains(type) || size < 1 || size > 8 || Integer.bitCount(size) != 1) {
            return Optional.empty();
        }
        byte[] bytes = new byte[size];
        payload.get(at, bytes);
        boolean signed = type.startsWith("int") || type.equals("timer");
        return Optional.of(signed ? new BigInteger(bytes) : new BigInteger(1, bytes));
    }

    /** One field more; if there are too many, the rest of the bytes is the last. */
    private boolean full(int at, int to, List<DeviceField> into) {
        if (left-- > 0) return false;
        if (at < to) {
            into.add(raw(at, to, "over " + MOST + " fields: the rest is not named"));
        }
        return true;
    }

    private DeviceField raw(int at, int to, String note) {
        return new DeviceField(
                "",
                OptionalInt.empty(),
                "",
                at,
                payload.slice(at, to - at),
                Optional.empty(),
                List.of(),
                note);
    }

    private static List<?> items(Map<?, ?> state, String key) {
        return state.get(key) instanceof List<?> list ? list : List.of();
    }

    private static String text(Map<?, ?> of, String key) {
        return of.get(key) instanceof String text ? text : "";
    }
}
