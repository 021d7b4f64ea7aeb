package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.MainIn;
import org.vmferry.spi.machine.SectionStore.Section;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Device sections of a machine that this host does not know. Their payloads carry no length, so
 * they are taken in whole, up to the RAM section or the stream's end, and cut out with the
 * VMDESCRIPTION (rule STR-9), which comes last.
 */
final class OpaqueSections {
    private static final int LONGEST = 256 << 20;
    private static final byte[] RAM_START = {
        3, 'r', 'a', 'm', 0, 0, 0, 0, 0, 0, 0, Wire.RAM_VERSION
    };

    private byte[] bytes = new byte[1 << 16];
    private int length;
    private long start = -1; // position of the first byte, for messages
    private int ramId;
    private byte[] json;

    /**
     * Reads on from a FULL mark that was just read.
     *
     * @return true if a RAM section's START mark was read, and its id, name, instance and version
     *     follow; false if the stream has been read to its end
     */
    boolean read(MainIn in) throws IOException {
        if (start < 0) start = in.position() - 1;
        append(Wire.FULL);
        while (true) {
            append(in.u8());
            int footer = length - 6;
            if (footer < 1 || bytes[footer] != Wire.FOOTER) continue;
            int mark = bytes[length - 1];
            if (mark == Wire.EOF && description(in)) {
                length--; // the EOF mark is no section's
                return false;
            }
            if (mark == Wire.START && ramFollows(in)) {
                length--;
                return true;
            }
        }
    }

    /**
     * After what looks like a footer and EOF: is it the VMDESCRIPTION that follows? More than a few
     * bytes are only waited for when there can be no doubt.
     */
    private boolean description(MainIn in) throws IOException {
        int end = length;
        if (!next(in, Wire.VMDESCRIPTION)) return false;
        for (int i = 0; i < 4; i++) append(in.u8());
        int size = ByteBuffer.wrap(bytes, length - 4, 4).getInt();
        if (size < 2 || size > VmDescription.LONGEST || !next(in, '{')) return false;
        byte[] text = new byte[size];
        text[0] = '{';
        in.bytes(MemorySegment.ofArray(text).asSlice(1));
        json = text;
        length = end;
        return true;
    }

    private boolean ramFollows(MainIn in) throws IOException {
        int end = length;
        for (int i = 0; i < 4; i++) append(in.u8());
        for (byte expected : RAM_START) if (!next(in, expected & 0xff)) return false;
        ramId = ByteBuffer.wrap(bytes, end, 4).getInt();
        length = end;
        return true;
    }

    /** The RAM section's id, after {@link #read} returned true. */
    int ramSectionId() {
        return ramId;
    }

    private boolean next(MainIn in, int expected) throws IOException {
        int value = in.u8();
        append(value);
        return value == expected;
    }

    private void append(int value) throws MigrationException {
        if (length == bytes.length) {
            if (length >= LONGEST) {
                throw MigrationException.peer(
                        "the device sections from %d on are longer than %d bytes, or no"
                                + " VMDESCRIPTION tells where they end",
                        start, LONGEST);
            }
            bytes = Arrays.copyOf(bytes, length * 2);
        }
        bytes[length++] = (byte) value;
    }

    /** The VMDESCRIPTION as it came. */
    byte[] description() {
        return json;
    }

    /** Cuts the sections. */
    List<Section> cut() throws MigrationException {
        List<Section> sections = new ArrayList<>();
        int at = 0;
        for (VmDescription.Device device : VmDescription.parse(json).devices()) {
            byte[] name = device.name().getBytes(StandardCharsets.UTF_8);
            long header = 1 + 4 + 1 + name.length + 4 + 4;
            long payload = at + header;
            long footer = payload + device.length();
            if (device.length() > length || footer + 5 > length) {
                throw MigrationException.peer(
                        "VMDESCRIPTION gives device '%s' %d bytes at %d, but its sections end at"
                                + " %d",
                        device.name(), device.length(), start + at, start + length);
            }
            ByteBuffer view = ByteBuffer.wrap(bytes);
            int id = view.getInt(at + 1);
            boolean head =
                    bytes[at] == Wire.FULL
                            && (bytes[at + 5] & 0xff) == name.length
                            && Arrays.equals(
                                    bytes, at + 6, at + 6 + name.length, name, 0, name.length)
                            && view.getInt(at + 6 + name.length) == device.instance();
            if (!head) {
                throw MigrationException.peer(
                        "at %d device '%s' instance %d should begin, as VMDESCRIPTION has it",
                        start + at, device.name(), device.instance());
            }
            if (bytes[(int) footer] != Wire.FOOTER || view.getInt((int) footer + 1) != id) {
                throw MigrationException.peer(
                        "device '%s' should end with its footer at %d, as VMDESCRIPTION has it",
                        device.name(), start + footer);
            }
            sections.add(
                    new Section(
                            device.name(),
                            device.instance(),
                            view.getInt(at + 10 + name.length),
                            view.slice((int) payload, (int) device.length()).asReadOnlyBuffer()));
            at = (int) footer + 5;
        }
        if (at != length) {
            throw MigrationException.peer(
                    "%d bytes from %d on are in no device that VMDESCRIPTION names",
                    length - at, start + at);
        }
        return sections;
    }
}
