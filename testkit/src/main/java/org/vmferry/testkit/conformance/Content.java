package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.fail;

import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.ram.RamBlock;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.CRC32C;

/** What a machine holds, as checksums: of each page, and of what each device saves. */
final class Content {
    static final Content NONE = new Content();

    private final Map<String, int[]> parts = new TreeMap<>();

    private Content() {}

    /** RAM and devices of a machine that stands still. */
    static Content of(Machine machine) {
        Content content = ram(machine);
        for (DeviceState device : machine.devices()) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try {
                device.save(new DataOutputStream(bytes));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            content.parts.put(
                    "device " + device.id() + "/" + device.instance(),
                    new int[] {crc(bytes.toByteArray(), bytes.size())});
        }
        return content;
    }

    /** RAM, also while the guest runs. */
    static Content ram(Machine machine) {
        Content content = new Content();
        for (RamBlock block : machine.ram().blocks()) {
            byte[] page = new byte[block.pageSize()];
            int[] pages = new int[Math.toIntExact(block.pages())];
            for (int i = 0; i < pages.length; i++) {
                long at = (long) i * page.length;
                int length = (int) Math.min(page.length, block.usedLength() - at);
                block.read(at, MemorySegment.ofArray(page).asSlice(0, length));
                pages[i] = crc(page, length);
            }
            content.parts.put("RAM block " + block.id(), pages);
        }
        return content;
    }

    private static int crc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    /** Fails with a word of what to look at, and of what differs. */
    static void requireSame(Content wanted, Content got, String lookAt) {
        if (wanted.isSame(got)) return;
        StringBuilder differs = new StringBuilder();
        TreeSet<String> names = new TreeSet<>(wanted.parts.keySet());
        names.addAll(got.parts.keySet());
        for (String name : names) {
            String how = difference(wanted.parts.get(name), got.parts.get(name));
            if (how != null) differs.append("; ").append(name).append(how);
        }
        fail(lookAt + differs);
    }

    private static String difference(int[] wanted, int[] got) {
        if (wanted == null || got == null) return " is in one of both only";
        if (Arrays.equals(wanted, got)) return null;
        if (wanted.length != got.length) return " has another size";
        if (wanted.length == 1) return " differs";
        int count = 0;
        for (int i = 0; i < wanted.length; i++) if (wanted[i] != got[i]) count++;
        return ": %d of %d pages differ, the first is page %d"
                .formatted(count, wanted.length, Arrays.mismatch(wanted, got));
    }

    boolean isSame(Content other) {
        return parts.keySet().equals(other.parts.keySet())
                && parts.keySet().stream()
                        .allMatch(name -> Arrays.equals(parts.get(name), other.parts.get(name)));
    }
}
