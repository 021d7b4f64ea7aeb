package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.MainIn;
import org.vmferry.spi.machine.SectionStore.Section;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Device sections of a machine that this host does not know. Their payloads carry no length, so
 * they are taken in whole, up to the RAM section or the stream's end, and cut out with the
 * VMDESCRIPTION (rules STR-9, STR-10), which comes last.
 *
 * <p>A payload may hold any bytes, those of a footer and an end too: an end counts only if the
 * VMDESCRIPTION behind it cuts exactly what came before it.
 */
final class OpaqueSections {
    private static final int LONGEST = 256 << 20;
    private static final int FOOTER = 5; // bytes
    private static final byte[] RAM_START = {
        3, 'r', 'a', 'm', 0, 0, 0, 0, 0, 0, 0, Wire.RAM_VERSION
    };

    /** Each takes up to {@link VmDescription#LONGEST} bytes to find out. */
    private static final int MOST_FALSE_ENDS = 16;

    private byte[] bytes = new byte[1 << 16];
    private int length;
    private int base; // where in the bytes the sections begin that stand together in the stream
    private long position; // of the base, in the stream
    private long before; // likewise, of the sections before RAM
    private int falseEnds;
    private int ramId;
    private long ramPosition;
    private byte[] json;
    private long end;
    private List<Section> sections;

    /**
     * Reads on from a FULL mark that was just read.
     *
     * @param ramWanted whether the RAM section may still begin
     * @return true if a RAM section's START mark was read, and its id, name, instance and version;
     *     false if the stream has been read to its end
     */
    boolean read(MainIn in, boolean ramWanted) throws IOException {
        base = length;
        position = in.position() - 1;
        if (base == 0) before = position;
        append(Wire.FULL);
        MigrationException why = null; // the last end that was none
        for (int at = length; ; at++) {
            int mark;
            try {
                mark = byteAt(in, at);
            } catch (MigrationException e) {
                if (why != null) e.addSuppressed(why);
                throw e;
            }
            if (at - base < FOOTER + 1 || bytes[at - FOOTER] != Wire.FOOTER) continue;
            if (mark == Wire.START && ramWanted && ramFollows(in, at)) {
                length = at;
                return true;
            }
            // Before RAM nothing ends; and no byte behind RAM's beginning may be taken here.
            if (mark != Wire.EOF || ramWanted) continue;
            try {
                if (descriptionFollows(in, at)) return false;
            } catch (MigrationException e) {
                why = e;
                if (++falseEnds > MOST_FALSE_ENDS) throw e;
            }
        }
    }

    /** More than a few bytes are only waited for when there is hardly a doubt. */
    private boolean descriptionFollows(MainIn in, int at) throws IOException {
        if (byteAt(in, at + 1) != Wire.VMDESCRIPTION) return false;
        byteAt(in, at + 5);
        int size = ByteBuffer.wrap(bytes).getInt(at + 2);
        if (size < 2 || size > VmDescription.LONGEST || byteAt(in, at + 6) != '{') return false;
        byteAt(in, at + 5 + size);
        byte[] text = Arrays.copyOfRange(bytes, at + 6, at + 6 + size);
        sections = cut(VmDescription.parse(text), at);
        json = text;
        end = position(at) + 6 + size; // more may have been read for an end that was none
        return true;
    }

    private boolean ramFollows(MainIn in, int at) throws IOException {
        for (int i = 0; i < RAM_START.length; i++) {
            if (byteAt(in, at + FOOTER + i) != (RAM_START[i] & 0xff)) return false;
        }
        ramId = ByteBuffer.wrap(bytes).getInt(at + 1);
        ramPosition = position(at);
        return true;
    }

    /** The RAM section's id, after {@link #read} returned true. */
    int ramSectionId() {
        return ramId;
    }

    /** Where the RAM section's START mark is. */
    long ramPosition() {
        return ramPosition;
    }

    private int byteAt(MainIn in, int index) throws IOException {
        while (length <= index) append(in.u8());
        return bytes[index] & 0xff;
    }

    private void append(int value) throws MigrationException {
        if (length == bytes.length) {
            if (length >= LONGEST) {
                throw MigrationException.peer(
                        "the device sections from %d on are longer than %d bytes, or no"
                                + " VMDESCRIPTION tells where they end",
                        before, LONGEST);
            }
            bytes = Arrays.copyOf(bytes, length * 2);
        }
        bytes[length++] = (byte) value;
    }

    /** The VMDESCRIPTION as it came. */
    byte[] description() {
        return json;
    }

    /** The first byte behind the VMDESCRIPTION. */
    long end() {
        return end;
    }

    /** The sections, in wire order; views of this object's bytes. */
    List<Section> sections() {
        return sections;
    }

    private long position(int index) {
        return index < base ? before + index : position + (index - base);
    }

    private List<Section> cut(VmDescription description, int end) throws MigrationException {
        List<Section> cut = new ArrayList<>();
        ByteBuffer view = ByteBuffer.wrap(bytes);
        int at = 0;
        for (VmDescription.Device device : description.devices()) {
            byte[] name = device.name().getBytes(StandardCharsets.UTF_8);
            int header = 1 + 4 + 1 + name.length + 4 + 4;
            long footer = (long) at + header + device.length();
            if (footer + FOOTER > end) {
                throw MigrationException.peer(
                        "VMDESCRIPTION gives device '%s' %d bytes at %d, but its sections end at"
                                + " %d",
                        device.name(), device.length(), position(at), position(end));
            }
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
                        position(at), device.name(), Integer.toUnsignedLong(device.instance()));
            }
            if (bytes[(int) footer] != Wire.FOOTER || view.getInt((int) footer + 1) != id) {
                throw MigrationException.peer(
                        "device '%s' should end with its footer at %d, as VMDESCRIPTION has it",
                        device.name(), position((int) footer));
            }
            cut.add(
                    new Section(
                            device.name(),
                            device.instance(),
                            view.getInt(at + 10 + name.length),
                            view.slice(at + header, (int) device.length()).asReadOnlyBuffer()));
            at = (int) footer + FOOTER;
        }
        if (at != end) {
            throw MigrationException.peer(
                    "%d bytes from %d on are in no device that VMDESCRIPTION names",
                    end - at, position(at));
        }
        return List.copyOf(cut);
    }
}
