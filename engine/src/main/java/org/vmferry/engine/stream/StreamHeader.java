package org.vmferry.engine.stream;

import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.machine.SectionStore.Subsection;
import org.vmferry.spi.option.Options;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;

/** The stream's first bytes: magic, version and CONFIGURATION (rules STR-1 and STR-2). */
public final class StreamHeader {
    /** The capabilities that a stream lists, in this order (rule STR-2). */
    static final List<String> LISTED = List.of("x-ignore-shared", "mapped-ram");

    private static final String PAGE_BITS = "configuration/target-page-bits";
    private static final String CAPABILITIES = "configuration/capabilities";
    private static final String UUID_NAME = "configuration/uuid";

    /** The smallest target page: AVR's. */
    public static final int SMALLEST_PAGE = 1 << 8;

    /** The largest target page. */
    public static final int LARGEST_PAGE = 1 << 16;

    private static final int LONGEST_NAME = 1 << 16;

    /** What a machine without a UUID says where one must be said. */
    public static final UUID NO_UUID = new UUID(0, 0);

    private StreamHeader() {}

    /**
     * A configuration of ours. It says the page size unless the machine's name does, as a QEMU
     * whose target has one size; such a QEMU takes a stream that says the right one, too.
     */
    public static Configuration of(
            String machine, int pageSize, Optional<UUID> uuid, Options options) {
        List<Subsection> subsections = new ArrayList<>();
        if (!PageSizeTable.of(machine).equals(OptionalInt.of(pageSize))) {
            int bits = Integer.numberOfTrailingZeros(pageSize);
            subsections.add(
                    new Subsection(PAGE_BITS, 1, ByteBuffer.allocate(4).putInt(bits).array()));
        }
        if (uuid.isPresent() && options.get(EngineOptions.VALIDATE_UUID)) {
            ByteBuffer bytes = ByteBuffer.allocate(16);
            bytes.putLong(uuid.get().getMostSignificantBits());
            bytes.putLong(uuid.get().getLeastSignificantBits());
            subsections.add(new Subsection(UUID_NAME, 1, bytes.array()));
        }
        return withCapabilities(new Configuration(machine, subsections), options);
    }

    /**
     * The configuration as these options have it: its capabilities are the migration's, not the
     * machine's.
     */
    public static Configuration withCapabilities(Configuration kept, Options options) {
        List<Subsection> subsections = new ArrayList<>();
        kept.subsections().stream()
                .filter(s -> s.name().equals(PAGE_BITS))
                .forEach(subsections::add);
        List<String> on = LISTED.stream().filter(options::on).toList();
        if (!on.isEmpty()) {
            ByteBuffer bytes =
                    ByteBuffer.allocate(4 + on.stream().mapToInt(n -> 1 + n.length()).sum());
            bytes.putInt(on.size());
            for (String name : on) {
                bytes.put((byte) name.length()).put(name.getBytes(StandardCharsets.US_ASCII));
            }
            subsections.add(new Subsection(CAPABILITIES, 1, bytes.array()));
        }
        kept.subsections().stream()
                .filter(s -> s.name().equals(UUID_NAME))
                .forEach(subsections::add);
        return new Configuration(kept.machine(), subsections);
    }

    /** The capabilities that a configuration lists. */
    public static Set<String> capabilities(Configuration configuration) throws MigrationException {
        Set<String> names = new LinkedHashSet<>();
        for (Subsection subsection : configuration.subsections()) {
            if (subsection.name().equals(CAPABILITIES)) names.addAll(capabilities(subsection));
        }
        return names;
    }

    private static List<String> capabilities(Subsection subsection) {
        List<String> names = new ArrayList<>();
        ByteBuffer bytes = ByteBuffer.wrap(subsection.payload());
        for (int count = bytes.getInt(); count > 0; count--) {
            byte[] name = new byte[bytes.get() & 0xff];
            bytes.get(name);
            names.add(new String(name, StandardCharsets.US_ASCII));
        }
        return names;
    }

    /** The target's page size in bytes, if the stream says it. */
    public static OptionalInt pageSize(Configuration configuration) throws MigrationException {
        for (Subsection subsection : configuration.subsections()) {
            if (!subsection.name().equals(PAGE_BITS)) continue;
            int bits = ByteBuffer.wrap(subsection.payload()).getInt();
            if (bits < 8 || bits > 16) {
                throw MigrationException.peer(
                        "target-page-bits is %d, allowed are 8 to 16",
                        Integer.toUnsignedLong(bits));
            }
            return OptionalInt.of(1 << bits);
        }
        return OptionalInt.empty();
    }

    /** What a part of the configuration consists of, for the VMDESCRIPTION. */
    static List<DescriptionWriter.Field> fields(Subsection subsection) {
        return switch (subsection.name()) {
            case PAGE_BITS -> List.of(new DescriptionWriter.Field("target_page_bits", "uint32", 4));
            case CAPABILITIES -> {
                List<DescriptionWriter.Field> fields = new ArrayList<>();
                fields.add(new DescriptionWriter.Field("caps_count", "uint32", 4));
                for (String name : capabilities(subsection)) {
                    fields.add(
                            new DescriptionWriter.Field(
                                    "capabilities", "capability", 1 + name.length()));
                }
                yield fields;
            }
            case UUID_NAME -> List.of(new DescriptionWriter.Field("uuid.data", "uint8", 1, 16));
            default ->
                    List.of(
                            new DescriptionWriter.Field(
                                    "data", "buffer", subsection.payload().length));
        };
    }

    /** The UUID that a configuration carries. */
    public static Optional<UUID> uuid(Configuration configuration) {
        return configuration.subsections().stream()
                .filter(s -> s.name().equals(UUID_NAME))
                .map(s -> ByteBuffer.wrap(s.payload()))
                .map(b -> new UUID(b.getLong(), b.getLong()))
                .findFirst();
    }

    /** Writes magic, version and configuration. */
    public static void write(StreamOut out, Configuration configuration) throws IOException {
        out.u32(Wire.MAGIC);
        out.u32(Wire.VERSION);
        if (configuration.machine().isEmpty()) {
            // Kept from a stream that had none: there is no name to write the rest under.
            if (configuration.subsections().isEmpty()) return;
            throw MigrationException.host(
                    "a machine without a type can't be sent with '%s'",
                    configuration.subsections().getFirst().name());
        }
        out.u8(Wire.CONFIGURATION);
        byte[] machine = configuration.machine().getBytes(StandardCharsets.UTF_8);
        out.u32(machine.length);
        out.bytes(MemorySegment.ofArray(machine));
        for (Subsection subsection : configuration.subsections()) {
            out.u8(Wire.SUBSECTION);
            out.str8(subsection.name());
            out.u32(subsection.version());
            out.bytes(MemorySegment.ofArray(subsection.payload()));
        }
    }

    /**
     * What a stream begins with.
     *
     * @param next the mark of the part that follows
     */
    public record Head(Configuration configuration, int next) {}

    /** Reads magic, version and configuration. */
    public static Head read(StreamIn in) throws IOException {
        long start = in.position();
        int magic = in.u32();
        if (magic != Wire.MAGIC) {
            throw MigrationException.peer(
                    "no migration stream at %d: it begins with 0x%08x, not \"QEVM\"%s",
                    start,
                    magic,
                    OtherFormat.of(magic).map(is -> ": it is " + is.description()).orElse(""));
        }
        int version = in.u32();
        if (version != Wire.VERSION) {
            throw MigrationException.peer(
                    "stream version %d at %d, must be %d",
                    Integer.toUnsignedLong(version), start + 4, Wire.VERSION);
        }
        int next = in.u8();
        if (next != Wire.CONFIGURATION) return new Head(new Configuration("", List.of()), next);
        String machine = machineName(in);
        List<Subsection> subsections = new ArrayList<>();
        while ((next = in.u8()) == Wire.SUBSECTION) {
            long at = in.position();
            String name = in.str8();
            int subVersion = in.u32();
            if (subVersion != 1 || subsections.stream().anyMatch(s -> s.name().equals(name))) {
                throw MigrationException.peer(
                        "part '%s' of the configuration at %d has version %d, or comes twice: must"
                                + " be 1, and once",
                        name, at, Integer.toUnsignedLong(subVersion));
            }
            subsections.add(
                    new Subsection(
                            name,
                            subVersion,
                            switch (name) {
                                case PAGE_BITS -> exactly(in, 4);
                                case CAPABILITIES -> capabilityList(in);
                                case UUID_NAME -> exactly(in, 16);
                                default ->
                                        throw MigrationException.peer(
                                                "unknown part '%s' of the configuration at %d",
                                                name, at);
                            }));
        }
        return new Head(new Configuration(machine, List.copyOf(subsections)), next);
    }

    /** Refuses a stream whose listed capabilities are not those in force here (rule STR-2). */
    public static void check(Configuration configuration, Options options)
            throws MigrationException {
        Set<String> theirs = capabilities(configuration);
        for (String name : LISTED) {
            if (theirs.contains(name) == options.on(name)) continue;
            throw MigrationException.user(
                    theirs.contains(name)
                            ? "the stream was written with capability %s, which is off here: set it"
                            : "the stream was written without capability %s, which is on here:"
                                    + " unset it",
                    name);
        }
    }

    /** Refuses the stream of another virtual machine, where both have a UUID (rule STR-2). */
    public static void checkUuid(Configuration configuration, Optional<UUID> ours)
            throws MigrationException {
        Optional<UUID> theirs = uuid(configuration);
        if (theirs.isEmpty() || ours.isEmpty() || ours.get().equals(NO_UUID)) return;
        if (!theirs.equals(ours)) {
            throw MigrationException.user(
                    "the stream says that it is of the virtual machine %s, by configuration/uuid;"
                            + " this one is %s: they must have the same",
                    theirs.get(), ours.get());
        }
    }

    private static String machineName(StreamIn in) throws IOException {
        long at = in.position();
        int length = in.u32();
        if (length < 1 || length > LONGEST_NAME) {
            throw MigrationException.peer(
                    "the machine name at %d has length %d, allowed are 1 to %d",
                    at, Integer.toUnsignedLong(length), LONGEST_NAME);
        }
        try {
            ByteBuffer name = ByteBuffer.wrap(exactly(in, length));
            return StandardCharsets.UTF_8.newDecoder().decode(name).toString();
        } catch (CharacterCodingException e) {
            throw new MigrationException(
                    Blame.PEER, "the machine name at %d is no UTF-8".formatted(at), e);
        }
    }

    private static byte[] capabilityList(StreamIn in) throws IOException {
        long at = in.position();
        int count = in.u32();
        if (count < 0 || count > LISTED.size()) {
            throw MigrationException.peer(
                    "%d capabilities at %d, allowed are 0 to %d",
                    Integer.toUnsignedLong(count), at, LISTED.size());
        }
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(ByteBuffer.allocate(4).putInt(count).array());
        for (int i = 0; i < count; i++) {
            long where = in.position();
            byte[] name = exactly(in, in.u8());
            String text = new String(name, StandardCharsets.ISO_8859_1);
            if (!LISTED.contains(text)) {
                throw MigrationException.peer(
                        "unknown capability '%s' at %d, allowed are %s", text, where, LISTED);
            }
            bytes.write(name.length);
            bytes.writeBytes(name);
        }
        return bytes.toByteArray();
    }

    private static byte[] exactly(StreamIn in, int length) throws IOException {
        byte[] bytes = new byte[length];
        in.bytes(MemorySegment.ofArray(bytes));
        return bytes;
    }
}
