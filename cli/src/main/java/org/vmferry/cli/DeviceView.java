package org.vmferry.cli;

import org.vmferry.engine.report.DeviceField;
import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.Printable;

import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A device's fields, for people and for programs. */
final class DeviceView {
    private static final HexFormat SPACED = HexFormat.ofDelimiter(" ");
    private static final int ROW = 16;

    private final PrintWriter out;

    private DeviceView(PrintWriter out) {
        this.out = out;
    }

    /** For people: numbers in hexadecimal and decimal. */
    static void print(PrintWriter out, Inspection.Device device, List<DeviceField> fields) {
        out.printf(
                "%s instance %s, version %s, %s%n",
                Printable.line(device.name()),
                Integer.toUnsignedString(device.instance()),
                Integer.toUnsignedString(device.version()),
                Text.count(device.bytes(), "byte"));
        new DeviceView(out).print(fields, "  ");
    }

    private void print(List<DeviceField> fields, String indent) {
        int width = 1;
        for (DeviceField field : fields) {
            if (field.fields().isEmpty()) width = Math.clamp(name(field).length(), width, 40);
        }
        for (DeviceField field : fields) {
            String line = indent + name(field);
            String note = field.note().isEmpty() ? "" : "  (" + Printable.line(field.note()) + ")";
            if (!field.fields().isEmpty()) {
                out.println(line + note);
                print(field.fields(), indent + "  ");
                continue;
            }
            if (field.type().equals("subsection") && field.note().isEmpty()) {
                out.println(line);
                continue;
            }
            line = indent + "%-" + width + "s  ";
            if (field.number().isPresent()) {
                out.printf(
                        line + "0x%s  %s%s%n", name(field), hex(field), field.number().get(), note);
            } else {
                out.printf(line + "%s%s%n", name(field), head(field.bytes()), note);
                rows(field.bytes(), indent + "  ");
            }
        }
    }

    private static String name(DeviceField field) {
        String name = field.name().isEmpty() ? "-" : Printable.line(field.name());
        return field.index().isPresent() ? name + "[" + field.index().getAsInt() + "]" : name;
    }

    private static String hex(DeviceField field) {
        return HexFormat.of().formatHex(array(field.bytes()));
    }

    private static byte[] array(ByteBuffer bytes) {
        byte[] array = new byte[bytes.remaining()];
        bytes.get(bytes.position(), array);
        return array;
    }

    /** Few bytes themselves; of more, how many there are. Text that ends with a NUL is shown. */
    private static String head(ByteBuffer bytes) {
        byte[] array = array(bytes);
        if (array.length == 0) return "nothing";
        int end = 0;
        while (end < array.length && array[end] >= ' ' && array[end] < 127) end++;
        boolean text = end > 0 && zeros(array, end);
        String said = text ? "  '" + new String(array, 0, end) + "'" : "";
        if (array.length <= ROW) return SPACED.formatHex(array) + said;
        return Text.count(array.length, "byte") + (zeros(array, 0) ? ", all zero" : "") + said;
    }

    private static boolean zeros(byte[] array, int from) {
        for (int i = from; i < array.length; i++) if (array[i] != 0) return false;
        return true;
    }

    /** Rows of more bytes; those that are all zero are left out. */
    private void rows(ByteBuffer bytes, String indent) {
        if (bytes.remaining() <= ROW) return;
        for (int at = 0; at < bytes.remaining(); at += ROW) {
            int length = Math.min(ROW, bytes.remaining() - at);
            byte[] row = array(bytes.slice(bytes.position() + at, length));
            if (zeros(row, 0)) continue;
            out.printf("%s%04x: %s%n", indent, at, SPACED.formatHex(row));
        }
    }

    /** For programs. */
    static Map<String, Object> tree(Inspection.Device device, List<DeviceField> fields) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("name", device.name());
        tree.put("instance", Integer.toUnsignedLong(device.instance()));
        tree.put("version", Integer.toUnsignedLong(device.version()));
        tree.put("bytes", device.bytes());
        tree.put("fields", tree(fields));
        return tree;
    }

    private static List<Object> tree(List<DeviceField> fields) {
        List<Object> list = new ArrayList<>();
        for (DeviceField field : fields) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", field.name());
            field.index().ifPresent(index -> one.put("index", index));
            one.put("type", field.type());
            one.put("offset", field.offset());
            one.put("size", field.bytes().remaining());
            if (!field.note().isEmpty()) one.put("note", field.note());
            if (!field.fields().isEmpty()) {
                one.put("fields", tree(field.fields()));
            } else {
                field.number().ifPresent(number -> one.put("value", number));
                one.put("hex", hex(field));
            }
            list.add(one);
        }
        return list;
    }
}
