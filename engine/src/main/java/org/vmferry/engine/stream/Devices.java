package org.vmferry.engine.stream;

import org.slf4j.Logger;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.RunState;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The device sections of a Java host: a length before each payload (rule STR-12). */
final class Devices {
    private static final Logger LOG = Log.of(Devices.class);
    private static final int LONGEST = 16 << 20;

    private Devices() {}

    /**
     * A device section's bytes; saved before the first is written, so that a failing device fails
     * early.
     */
    record Saved(DeviceState device, byte[] payload, List<DeviceState.Field> fields) {
        /** What its section consists of, as far as the device says so. */
        List<DescriptionWriter.Field> described() {
            List<DescriptionWriter.Field> all = new ArrayList<>();
            all.add(new DescriptionWriter.Field("length", "uint32", 4));
            long named = fields.stream().mapToLong(DeviceState.Field::bytes).sum();
            if (fields.isEmpty() || named != payload.length) {
                if (!fields.isEmpty())
                    LOG.warn(
                            "device '{}' saved {} bytes, and its fields() are {}: a snapshot has"
                                    + " the bytes without names",
                            device.id(),
                            payload.length,
                            named);
                all.add(new DescriptionWriter.Field("data", "buffer", payload.length));
                return all;
            }
            for (DeviceState.Field field : fields)
                all.add(
                        new DescriptionWriter.Field(
                                field.name(), type(field.bytes()), field.bytes()));
            return all;
        }

        private static String type(int bytes) {
            boolean number = bytes <= Long.BYTES && Integer.bitCount(bytes) == 1;
            return number ? "uint" + bytes * Byte.SIZE : "buffer";
        }
    }

    static List<Saved> save(List<DeviceState> devices) throws IOException {
        List<Saved> saved = new ArrayList<>();
        Set<String> seen = new HashSet<>(List.of(Wire.RAM + "/0", GlobalState.ID + "/0"));
        for (DeviceState device : devices) {
            if (!seen.add(device.id() + "/" + device.instance())) {
                throw MigrationException.host(
                        "two devices are named '%s' instance %d, or the name is taken",
                        device.id(), Integer.toUnsignedLong(device.instance()));
            }
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            List<DeviceState.Field> fields;
            try {
                device.save(new DataOutputStream(bytes));
                fields = device.fields();
            } catch (MigrationException e) {
                throw e;
            } catch (IOException | RuntimeException e) {
                throw new MigrationException(
                        Blame.HOST,
                        "device '%s' instance %d can't be saved: %s"
                                .formatted(
                                        device.id(), Integer.toUnsignedLong(device.instance()), e),
                        e);
            }
            if (bytes.size() > LONGEST) {
                throw MigrationException.host(
                        "device '%s' saved %d bytes, allowed are %d",
                        device.id(), bytes.size(), LONGEST);
            }
            saved.add(new Saved(device, bytes.toByteArray(), fields));
        }
        return saved;
    }

    /** Writes one payload. */
    static void write(StreamOut out, byte[] payload) throws IOException {
        out.u32(payload.length);
        out.bytes(MemorySegment.ofArray(payload));
    }

    /** Which of a machine's devices were loaded, and the run state that came along. */
    static final class Loader {
        private final List<DeviceState> devices;
        private final Map<String, DeviceState> named = new HashMap<>();
        private final Set<DeviceState> loaded = new HashSet<>();
        private RunState runState;

        Loader(List<DeviceState> devices) {
            this.devices = devices;
        }

        /** Reads a section's payload into its device. */
        void load(StreamIn in, String id, int instance, int version) throws IOException {
            long at = in.position();
            if (id.equals(GlobalState.ID)) {
                if (instance != 0 || version != GlobalState.VERSION || runState != null) {
                    throw MigrationException.peer(
                            runState != null
                                    ? "section '%s' comes twice, again at %d (instance %d, version"
                                            + " %d)"
                                    : "section '%s' at %d has instance %d, version %d; must be 0"
                                            + " and "
                                            + GlobalState.VERSION,
                            id,
                            at,
                            Integer.toUnsignedLong(instance),
                            Integer.toUnsignedLong(version));
                }
                byte[] payload = read(in, GlobalState.LENGTH);
                runState = GlobalState.decode(ByteBuffer.wrap(payload), at);
                return;
            }
            DeviceState device = find(id, instance, at);
            if (version < device.oldestVersion() || version > device.version()) {
                throw MigrationException.peer(
                        "device '%s' comes at %d in version %d, this machine reads %d to %d",
                        id,
                        at,
                        Integer.toUnsignedLong(version),
                        device.oldestVersion(),
                        device.version());
            }
            if (!loaded.add(device)) {
                throw MigrationException.peer("device '%s' comes twice, again at %d", id, at);
            }
            int length = in.u32();
            if (length < 0 || length > LONGEST) {
                throw MigrationException.peer(
                        "device '%s' at %d has %d bytes, allowed are %d",
                        id, at, Integer.toUnsignedLong(length), LONGEST);
            }
            ByteArrayInputStream bytes = new ByteArrayInputStream(read(in, length));
            try {
                device.load(new DataInputStream(bytes), version);
            } catch (MigrationException e) {
                throw e;
            } catch (EOFException e) {
                throw new MigrationException(
                        Blame.PEER,
                        "device '%s' at %d wants more than the %d bytes that came"
                                .formatted(id, at, length),
                        e);
            } catch (IOException | RuntimeException e) {
                // The device says by an IOException that its bytes make no sense.
                throw new MigrationException(
                        e instanceof IOException ? Blame.PEER : Blame.HOST,
                        "device '%s' at %d can't be loaded: %s".formatted(id, at, e),
                        e);
            }
            if (bytes.available() > 0) {
                throw MigrationException.peer(
                        "device '%s' at %d left %d of the %d bytes that came",
                        id, at, bytes.available(), length);
            }
        }

        private DeviceState find(String id, int instance, long at) throws MigrationException {
            // Each is asked for its name once: a host's code is asked, and there may be thousands.
            if (named.isEmpty())
                for (DeviceState device : devices)
                    named.putIfAbsent(FieldReader.key(device.id(), device.instance()), device);
            DeviceState device = named.get(FieldReader.key(id, instance));
            if (device != null) return device;
            throw MigrationException.peer(
                    "this machine has no device '%s' instance %d, which comes at %d",
                    id, Integer.toUnsignedLong(instance), at);
        }

        private static byte[] read(StreamIn in, int length) throws IOException {
            byte[] bytes = new byte[length];
            in.bytes(MemorySegment.ofArray(bytes));
            return bytes;
        }

        /** The stream has ended: every device must have come. */
        RunState finish() throws MigrationException {
            for (DeviceState device : devices) {
                if (!loaded.contains(device)) {
                    throw MigrationException.peer(
                            "the stream has nothing for device '%s' instance %d",
                            device.id(), Integer.toUnsignedLong(device.instance()));
                }
            }
            return runState == null ? RunState.RUNNING : runState;
        }
    }
}
