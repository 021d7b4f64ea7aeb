package org.vmferry.engine.migration;

import org.vmferry.engine.report.DeviceField;
import org.vmferry.engine.report.Inspection;
import org.vmferry.engine.stream.FieldReader;
import org.vmferry.engine.stream.Trailer;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.layout.FileLayout.Place;
import org.vmferry.spi.machine.MachineArchive;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.machine.SectionStore.Section.Kind;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.transport.IncomingFile;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Reads a snapshot as a load does, with all its checks, into a machine that keeps nothing but
 * notes.
 */
public final class SnapshotInspector implements MachineArchive, RamTarget {
    private static final long MOST_PAGES = 1L << 34;
    private static final long FLAT = 2 << 20; // bytes that a bitmap may take at once
    private static final long PAGES_PER_BYTE = 1 << 12; // of a larger one without a bit

    private final MigrationSession session;
    private final Route route;
    private final IncomingFile end;
    private final Map<String, Noted> blocks = new LinkedHashMap<>();
    private final List<NotedDevice> devices = new ArrayList<>();
    private final Map<String, NotedDevice> open = new HashMap<>(); // by name and instance

    /** How much is kept of what is asked for, to name its fields; bytes. */
    private static final int MOST_SHOWN = 32 << 20;

    private final Predicate<Inspection.Device> wanted;
    private final Map<Inspection.Device, ByteBuffer> contents = new IdentityHashMap<>();
    private Optional<Map<String, Map<?, ?>>> described; // null until it is asked for
    private final Notes notes = new Notes();
    private final Set<String> missing = new HashSet<>();
    private Map<String, Place> places;
    private final List<String> oddities = new ArrayList<>();
    private Optional<String> lost = Optional.empty();
    private Trailer trailer;
    private long bitmaps; // bytes

    /**
     * A look through an end that is open; it is closed at the end.
     *
     * @param wanted whose sections are kept
     */
    public SnapshotInspector(
            MigrationSession session,
            Route route,
            IncomingFile end,
            Predicate<Inspection.Device> wanted) {
        this.wanted = wanted;
        this.session = session;
        this.route = route;
        this.end = end;
    }

    /** Reads it all. */
    public Inspection look(Set<String> capabilities) throws IOException {
        boolean ramEnded;
        try {
            FileLoad load = load();
            load.run(state -> {});
            places = load.places();
            trailer = load.trailer();
            oddities.addAll(load.notes());
            ramEnded = load.ramEnded();
        } catch (IOException | RuntimeException e) {
            session.fail(e);
            throw session.life().failure();
        }
        List<Inspection.Device> seen = new ArrayList<>();
        for (NotedDevice device : devices) {
            seen.add(device.told());
            if (device.payload != null) contents.put(seen.getLast(), device.payload);
        }
        GuestPlaces guest =
                new GuestPlaces(
                        notes.configuration.machine(),
                        contents,
                        blocks.values().stream().map(Noted::usedLength).toList());
        boolean trusted = ramEnded && lost.isEmpty() && trailer.damage().isEmpty();
        List<Inspection.Block> found = new ArrayList<>();
        for (Noted block : blocks.values()) {
            Optional<Place> place = Optional.ofNullable(places.get(block.id()));
            found.add(
                    new Inspection.Block(
                            block.id(),
                            block.usedLength(),
                            place.map(Place::present).orElse(block.present),
                            content(block, trusted),
                            place.isEmpty()
                                    ? OptionalLong.empty()
                                    : OptionalLong.of(place.get().bitmapPosition()),
                            place.isEmpty()
                                    ? OptionalLong.empty()
                                    : OptionalLong.of(place.get().pagesPosition()),
                            guest.of(block.id(), block.usedLength())));
        }
        int pageSize = blocks.isEmpty() ? 4096 : blocks.values().iterator().next().pageSize();
        return new Inspection(
                route.layout().map(FileLayout::id).orElse("stream"),
                notes.configuration.machine(),
                pageSize,
                capabilities,
                List.copyOf(found),
                List.copyOf(seen),
                trailer.facts(),
                trailer.damage(),
                List.copyOf(oddities),
                lost,
                this::fields);
    }

    /**
     * What the file says of a block.
     *
     * @param trusted whether RAM has its end, which writes the bitmaps, and the text behind the
     *     stream was read and is sound, which names what was left out of a file with places
     */
    private Inspection.Content content(Noted block, boolean trusted) {
        if (missing.contains(block.id())) return Inspection.Content.LEFT_OUT;
        boolean empty = route.layout().isPresent() && block.present.cardinality() == 0;
        return empty && !trusted ? Inspection.Content.UNTOLD : Inspection.Content.WHOLE;
    }

    private synchronized List<DeviceField> fields(Inspection.Device device)
            throws MigrationException {
        ByteBuffer payload = contents.get(device);
        if (payload == null && device.bytes() > 0 && wanted.test(device)) {
            throw MigrationException.user(
                    "what is in device '%s' instance %d can't be shown: it has %d bytes, and of all"
                            + " that is asked for %d are kept; or it goes on while the guest runs,"
                            + " which no VMDESCRIPTION describes",
                    device.name(),
                    Integer.toUnsignedLong(device.instance()),
                    device.bytes(),
                    MOST_SHOWN);
        }
        if (payload == null) {
            throw MigrationException.user(
                    "what is in device '%s' instance %d was not asked for, or goes on while the"
                            + " guest runs, which no VMDESCRIPTION describes",
                    device.name(), Integer.toUnsignedLong(device.instance()));
        }
        if (described == null) described = FieldReader.devices(notes.description);
        return FieldReader.read(described, device.name(), device.instance(), payload);
    }

    private FileLoad load() {
        return new FileLoad(session, this, route.quiet(), end, () -> {}, 0);
    }

    @Override
    public RunState runState() {
        return RunState.INMIGRATE;
    }

    @Override
    public void enter(RunState state) {}

    @Override
    public RamProvider ram() {
        return List::of;
    }

    @Override
    public RamTarget ramTarget() {
        return this;
    }

    @Override
    public RamBlock open(BlockHeader header) throws MigrationException {
        // A stream of a few bytes may announce any length; what is kept of it must fit.
        long pages = header.usedLength() / header.pageSize();
        bitmaps += Math.max(Math.min(pages / 8, FLAT), pages / PAGES_PER_BYTE);
        if (pages > MOST_PAGES || bitmaps > most()) throw tooLarge(header);
        Noted block = new Noted(header);
        blocks.put(header.id(), block);
        return block;
    }

    private static long most() {
        return Runtime.getRuntime().maxMemory() / 4;
    }

    private static MigrationException tooLarge(BlockHeader header) {
        return MigrationException.peer(
                "RAM block '%s' of 0x%x bytes is too large to be looked into: what is noted of it"
                        + " would take over %d bytes of heap",
                header.id(), header.usedLength(), most());
    }

    @Override
    public void missing(BlockHeader header) {
        missing.add(header.id());
    }

    @Override
    public SectionStore sections() {
        return notes;
    }

    /** A section that came, or has begun to. */
    private static final class NotedDevice {
        private final String name;
        private final int instance;
        private final int version;
        private long bytes;
        private ByteBuffer payload; // null if it was not asked for

        NotedDevice(Section section) {
            name = section.id();
            instance = section.instance();
            version = section.version();
            bytes = section.payload().remaining();
        }

        Inspection.Device told() {
            return new Inspection.Device(name, instance, version, bytes);
        }

        /**
         * Copies what is in it, if that is asked for.
         *
         * @param most bytes, of what is not copied
         * @return how many it took
         */
        int keepIf(Predicate<Inspection.Device> wanted, ByteBuffer all, int most) {
            if (all.remaining() > most || !wanted.test(told())) return 0;
            payload = ByteBuffer.allocate(all.remaining()).put(all).flip();
            return payload.capacity();
        }
    }

    /** Notes what sections there are. */
    private final class Notes implements SectionStore {
        private Configuration configuration;
        private byte[] description = {};
        private int room = MOST_SHOWN;

        @Override
        public void keep(Configuration kept) {
            configuration = kept;
        }

        @Override
        public void keep(Section section) {
            if (section.id().equals(Wire.RAM)) return;
            String key = FieldReader.key(section.id(), section.instance());
            NotedDevice begun = open.get(key);
            boolean goesOn = section.kind() == Kind.AS_IS && begun != null;
            if (section.kind() == Kind.PART || section.kind() == Kind.END || goesOn) {
                // All parts of one that goes on while the guest runs count as one.
                if (begun != null) begun.bytes += section.payload().remaining();
                return;
            }
            NotedDevice device = new NotedDevice(section);
            devices.add(device);
            if (section.kind() != Kind.FULL) open.put(key, device);
            else room -= device.keepIf(wanted.or(GuestPlaces::needs), section.payload(), room);
        }

        @Override
        public void lost(MigrationException why) {
            lost = Optional.of(why.getMessage());
        }

        @Override
        public void keepDescription(byte[] json) {
            description = json.clone();
        }

        @Override
        public Configuration configuration() {
            return configuration;
        }

        @Override
        public Iterable<Section> sections() {
            return List.of(); // only notes were taken
        }

        @Override
        public byte[] description() {
            return description.clone();
        }
    }

    /** A block that only notes which pages came. */
    private final class Noted implements RamBlock {
        private final BlockHeader header;
        private final PageBitmap present;

        Noted(BlockHeader header) {
            this.header = header;
            this.present = new PageBitmap(header.usedLength() / header.pageSize());
        }

        @Override
        public String id() {
            return header.id();
        }

        @Override
        public long usedLength() {
            return header.usedLength();
        }

        @Override
        public int pageSize() {
            return header.pageSize();
        }

        /** What does not come is zero: nobody has to look at each page. */
        @Override
        public boolean isKnownZero(long offset, long bytes) {
            return present.isClear(offset / pageSize(), bytes / pageSize());
        }

        @Override
        public void read(long offset, MemorySegment target) {
            target.fill((byte) (present.get(offset / pageSize()) ? 1 : 0));
        }

        @Override
        public void write(long offset, MemorySegment source) {
            // A page that came before and is zero now is written as zeros: see ZeroPages.clear.
            boolean zero = ZeroPages.isZero(source, 0, source.byteSize());
            long before = present.allocated();
            present.fill(offset / pageSize(), source.byteSize() / pageSize(), !zero);
            bitmaps += present.allocated() - before;
            // Records of some bytes each may come for pages far from each other.
            if (bitmaps > most()) throw new UncheckedIOException(tooLarge(header));
        }
    }
}
