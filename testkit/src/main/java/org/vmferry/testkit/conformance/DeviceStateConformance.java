package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.Status;
import org.vmferry.spi.machine.DeviceState;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/** A device: docs/spi/device.md. */
@Status(Status.Level.STABLE)
public abstract class DeviceStateConformance extends Conformance {
    private final List<DeviceState> made = new ArrayList<>();

    /** For the author's class. */
    protected DeviceStateConformance() {}

    /**
     * Makes the device as it is when its machine has just been made.
     *
     * @return a new one
     * @throws Exception if it can't be made
     */
    protected abstract DeviceState fresh() throws Exception;

    /**
     * Makes the device as it is when its guest has used it: no field at its default.
     *
     * @return a new one, in the same state at each call
     * @throws Exception if it can't be made
     */
    protected abstract DeviceState used() throws Exception;

    /**
     * What older releases wrote for {@link #used()}, or something like it.
     *
     * @return a payload for each version below the current one that is still read
     */
    protected Map<Integer, byte[]> older() {
        return Map.of();
    }

    /**
     * Gives back what a device has.
     *
     * @param device one of {@link #fresh}'s or {@link #used}'s
     * @throws Exception if that fails
     */
    protected void close(DeviceState device) throws Exception {
        if (device instanceof AutoCloseable closeable) closeable.close();
    }

    @AfterEach
    final void closeAll() throws Exception {
        for (DeviceState device : made) close(device);
    }

    private DeviceState makeFresh() throws Exception {
        made.add(fresh());
        return made.getLast();
    }

    private DeviceState makeUsed() throws Exception {
        made.add(used());
        return made.getLast();
    }

    private static byte[] save(DeviceState device) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        device.save(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    /** Loads, and gives how many bytes were not read. */
    private static int load(DeviceState device, byte[] bytes, int version) throws IOException {
        ByteArrayInputStream in = new ByteArrayInputStream(bytes);
        device.load(new DataInputStream(in), version);
        return in.available();
    }

    @Test
    @Tag("DEV-1")
    final void itsNameIsItsOwn() throws Exception {
        DeviceState device = makeUsed();
        String id = device.id();
        int length = id.getBytes(StandardCharsets.UTF_8).length;
        assertTrue(length >= 1 && length <= 255, "id(): of " + length + " bytes");
        assertTrue(!Set.of("ram", "globalstate").contains(id), "id(): '" + id + "' is taken");
        assertEquals(id, device.id(), "id(): differs from call to call");
        assertEquals(id, makeFresh().id(), "id(): differs from device to device");
        assertTrue(device.instance() >= 0, "instance(): " + device.instance());
    }

    @Test
    @Tag("DEV-2")
    final void itsVersionsMakeARange() throws Exception {
        DeviceState device = makeUsed();
        int oldest = device.oldestVersion();
        assertTrue(oldest >= 1, "oldestVersion(): " + oldest);
        assertTrue(
                device.version() >= oldest,
                "version(): %d, and the oldest is %d".formatted(device.version(), oldest));
    }

    @Test
    @Tag("DEV-3")
    final void savingChangesNothing() throws Exception {
        DeviceState device = makeUsed();
        assertArrayEquals(save(device), save(device), "save(): other bytes the second time");
    }

    @Test
    @Tag("DEV-4")
    final void itIsNotTooLarge() throws Exception {
        int length = save(makeUsed()).length;
        assertTrue(length <= 16 << 20, "save(): %d bytes; 16 MiB is the most".formatted(length));
    }

    @Test
    @Tag("DEV-5")
    final void loadingReadsAll() throws Exception {
        DeviceState source = makeUsed();
        int left = load(makeFresh(), save(source), source.version());
        assertEquals(0, left, "load(): did not read all that save() wrote");
    }

    @Test
    @Tag("DEV-6")
    final void whatWasLoadedIsSavedTheSame() throws Exception {
        DeviceState source = makeUsed();
        byte[] bytes = save(source);
        DeviceState loaded = makeFresh();
        load(loaded, bytes, source.version());
        assertArrayEquals(bytes, save(loaded), "load(), save(): something is not carried over");
    }

    @Test
    @Tag("DEV-7")
    final void loadingReplacesWhatWasThere() throws Exception {
        DeviceState source = makeFresh();
        byte[] bytes = save(source);
        DeviceState loaded = makeUsed();
        load(loaded, bytes, source.version());
        assertArrayEquals(bytes, save(loaded), "load(): something of before is left");
    }

    @Test
    @Tag("DEV-8")
    final void anEarlyEndIsRefmakeUsed() throws Exception {
        DeviceState source = makeUsed();
        byte[] bytes = save(source);
        for (int length = 0; length < bytes.length; length += Math.max(1, bytes.length / 30)) {
            byte[] cut = Arrays.copyOf(bytes, length);
            DeviceState loaded = makeFresh();
            refused(
                    "load(): of %d bytes only %d".formatted(bytes.length, length),
                    () -> load(loaded, cut, source.version()),
                    IOException.class);
        }
    }

    @Test
    @Tag("DEV-9")
    final void nonsenseDoesNoHarm() throws Exception {
        DeviceState source = makeUsed();
        byte[] bytes = save(source);
        SplittableRandom random = new SplittableRandom(1);
        for (int round = 0; round < 100; round++) {
            byte[] bad = bytes.clone();
            int from = bytes.length == 0 ? 0 : random.nextInt(bytes.length);
            byte same = (byte) (round % 3 == 0 ? 0xff : round % 3 == 1 ? 0x7f : 0x80);
            for (int i = from; i < Math.min(from + 8, bad.length); i++)
                bad[i] = round < 50 ? same : (byte) random.nextInt();
            DeviceState loaded = makeFresh();
            String where = "nonsense at byte " + from;
            within("load(): hangs on " + where, () -> loadNonsense(loaded, bad, source, where));
        }
    }

    /** An IOException is as it should be; or it makes sense after all. */
    private static Void loadNonsense(
            DeviceState loaded, byte[] bad, DeviceState source, String where) {
        try {
            load(loaded, bad, source.version());
        } catch (IOException e) {
            return null;
        } catch (OutOfMemoryError e) { // caught, or JUnit ends with it
            fail("load(): %s takes all memory: a length is to be checked first".formatted(where));
        } catch (RuntimeException | Error e) {
            fail("load(): %s is to be an IOException, not %s".formatted(where, e), e);
        }
        return null;
    }

    @Test
    @Tag("DEV-10")
    final void olderVersionsAreRead() throws Exception {
        DeviceState device = makeFresh();
        needs(device.oldestVersion() < device.version(), "oldestVersion(): is the current one");
        for (int version = device.oldestVersion(); version < device.version(); version++) {
            byte[] bytes = older().get(version);
            assertTrue(bytes != null, "older(): has no payload of version " + version);
            int of = version;
            int left =
                    assertDoesNotThrow(
                            () -> load(makeFresh(), bytes, of), "load(): can't read version " + of);
            assertEquals(0, left, "load(): did not read all of version " + version);
        }
    }

    @Test
    @Tag("DEV-11")
    final void itsFieldsAreWhatItSaves() throws Exception {
        for (DeviceState device : List.of(makeFresh(), makeUsed())) {
            int saved = save(device).length;
            List<DeviceState.Field> fields = device.fields();
            needs(!fields.isEmpty(), "fields(): it names none");
            long named = fields.stream().mapToLong(DeviceState.Field::bytes).sum();
            assertEquals(saved, named, "fields(): their bytes are not as many as save() wrote");
        }
    }
}
