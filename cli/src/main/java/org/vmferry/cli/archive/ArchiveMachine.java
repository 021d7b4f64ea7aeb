package org.vmferry.cli.archive;

import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.engine.transport.ScratchFolder;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.MachineArchive;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A machine that only keeps what another one sent, and gives it back byte for byte: what stands
 * behind {@code convert}, {@code send} and {@code receive}.
 *
 * <p>RAM goes into sparse files, one block behind the other, and device sections into another file:
 * the heap stays small, and a machine of more RAM than this one's has room. The files lie in a
 * directory of their own, which {@link #close} removes.
 *
 * <p>It never runs: it takes any state it is told to be in. Not for use by two migrations at once.
 */
public final class ArchiveMachine implements MachineArchive, AutoCloseable {
    private static final long UNKNOWN = -1;

    /** Room is asked for in steps: more of it than a machine's devices need. */
    private static final long STEP = 4 << 20;

    /**
     * Blocks share a file up to this length: thousands of files would be thousands of descriptors,
     * each looked for among the others. A larger block has its own: file systems end somewhere.
     */
    private static final long LONGEST_SHARED = 1L << 40;

    private final Path directory;
    private final List<OutgoingFile> files = new ArrayList<>();
    private final SequencedMap<String, RamFile> blocks = new LinkedHashMap<>();
    private final Map<String, Elsewhere> elsewhere = new HashMap<>();
    private final SectionFile sections;
    private final AtomicLong stored = new AtomicLong();
    private RunState state = RunState.INMIGRATE;
    private Keeper keeper = () -> {};
    private Optional<UUID> uuid = Optional.empty();
    private long most = UNKNOWN;
    private long announced;
    private OutgoingFile ram; // the newest file of blocks; null before the first
    private long ramEnd;
    private Room room = bytes -> {};
    private volatile long asked;

    /** Makes sure of a machine that came whole. */
    @FunctionalInterface
    public interface Keeper {
        /**
         * Everything is here; the source has not given its guest up yet where there is a return
         * path, and goes on with it if this throws.
         *
         * @throws MigrationException if it can't be kept
         */
        void keep() throws MigrationException;
    }

    /** Who has to keep up with the archive. */
    @FunctionalInterface
    public interface Room {
        /**
         * The archive is about to grow.
         *
         * @param bytes that it may have then
         * @throws IOException if there is no room for as many where they are to go
         */
        void need(long bytes) throws IOException;
    }

    /** Where a block's RAM is kept, if not in the archive. */
    @FunctionalInterface
    public interface Elsewhere {
        /**
         * The block is announced.
         *
         * @param header what its source says of it
         * @return zero up to the block's length; stays the caller's, open for as long as the
         *     archive
         * @throws IOException if it can't be kept there
         */
        PositionedFile file(BlockHeader header) throws IOException;
    }

    private ArchiveMachine(Path directory) throws IOException {
        this.directory = directory;
        OutgoingFile file = create("sections");
        try {
            sections = new SectionFile(file.file(false), directory);
        } catch (IOException | RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    /** A file in the archive's directory, which goes with it. */
    private OutgoingFile create(String name) throws IOException {
        // Said also where a directory's name would be taken for an offset.
        Address address = Address.parse("file:" + directory.resolve(name) + ",offset=0");
        OutgoingFile file = new LocalFileTransport().outgoing(address, Options.DEFAULTS);
        files.add(file);
        return file;
    }

    /**
     * An empty archive.
     *
     * @param parent where its directory is made: on a file system with room for the machine's RAM
     * @return owned by the caller
     * @throws IOException if it can't be made
     */
    public static ArchiveMachine in(Path parent) throws IOException {
        Path directory = ScratchFolder.in(parent);
        try {
            return new ArchiveMachine(directory);
        } catch (IOException | RuntimeException | Error e) {
            Files.deleteIfExists(directory);
            throw e;
        }
    }

    /**
     * Says how much can come. Where there is no room for it, the first block is refused.
     *
     * @param bytes of RAM that is not zero, at the most
     */
    public void expect(long bytes) {
        most = bytes;
    }

    /**
     * Says who is to keep up with the archive's growth: its content is to go there, too.
     *
     * @param room asked by a migration's threads, one at a time
     */
    public void growWith(Room room) {
        this.room = room;
    }

    /**
     * Has a block's RAM kept in a file of the caller's.
     *
     * @param id the block's name
     * @param where asked once, when the block is announced
     */
    public void keep(String id, Elsewhere where) {
        elsewhere.put(id, where);
    }

    /** RAM is wanted even if devices can't be told apart. Such an archive is not sent on. */
    public void takeLosses() {
        sections.takeLosses();
    }

    /**
     * Why devices could not be told apart.
     *
     * @return a sentence; empty if all are here
     */
    public Optional<String> lost() {
        return sections.lost();
    }

    /**
     * Which blocks came without their content: shared memory that the source left out.
     *
     * @return their names, in wire order
     */
    public List<String> missing() {
        return blocks.values().stream().filter(RamBlock::missing).map(RamBlock::id).toList();
    }

    /**
     * Says which machine this is to be: what comes and says another UUID is not of it.
     *
     * @param told holds against what a snapshot or a source says
     */
    public void uuid(UUID told) {
        uuid = Optional.of(told);
    }

    /** Only what it was told: what it has met stands in its facts. */
    @Override
    public Optional<UUID> uuid() {
        return uuid;
    }

    /**
     * Whether it is known which machine this is.
     *
     * @return false if neither anybody said so, nor its source or its file
     * @throws IOException if nothing came yet
     */
    public boolean hasUuid() throws IOException {
        return uuid.isPresent()
                || sections.facts().stream().anyMatch(fact -> fact.key().equals("uuid"))
                || sections.configuration().subsections().stream()
                        .anyMatch(part -> part.name().equals("configuration/uuid"));
    }

    @Override
    public RunState runState() {
        return state;
    }

    /**
     * Says what to do when a machine came whole.
     *
     * @param keeper called once, by the migration's thread; may send this archive on
     */
    public void whenWhole(Keeper keeper) {
        this.keeper = keeper;
    }

    @Override
    public void enter(RunState next) throws MigrationException {
        boolean arrived = state == RunState.INMIGRATE;
        state = arrived ? kept(next) : next;
        if (arrived) keeper.keep();
    }

    /** Whatever the stream says of its guest, it is here now, and may be sent on. */
    private static RunState kept(RunState sent) {
        return switch (sent) {
            case INMIGRATE, FINISH_MIGRATE, POSTMIGRATE -> RunState.PAUSED;
            default -> sent;
        };
    }

    @Override
    public RamProvider ram() {
        List<RamBlock> list = List.copyOf(blocks.values());
        return () -> list;
    }

    @Override
    public RamTarget ramTarget() {
        return new RamTarget() {
            @Override
            public RamBlock open(BlockHeader header) throws MigrationException {
                return ArchiveMachine.this.open(header);
            }

            @Override
            public void missing(BlockHeader header) {
                blocks.get(header.id()).missing(header.guestAddress());
            }
        };
    }

    @Override
    public SectionStore sections() {
        return sections;
    }

    private RamBlock open(BlockHeader header) throws MigrationException {
        if (blocks.containsKey(header.id()))
            throw MigrationException.peer("RAM block '%s' is announced twice", header.id());
        announced += Math.min(header.usedLength(), Long.MAX_VALUE - announced);
        try {
            // Not named after the block: "/rom@etc/acpi/tables" is a name, too.
            Elsewhere where = elsewhere.get(header.id());
            RamFile block =
                    where == null
                            ? scratch(header)
                            : new RamFile(header, where.file(header), 0, this::grow);
            blocks.put(header.id(), block);
            return block;
        } catch (IOException e) {
            throw new MigrationException(
                    Blame.HOST,
                    "RAM block '%s' of %d bytes can't be kept: %s"
                            .formatted(header.id(), header.usedLength(), e.getMessage()),
                    e);
        }
    }

    private RamFile scratch(BlockHeader header) throws IOException {
        if (ram == null || header.usedLength() > LONGEST_SHARED - ramEnd) {
            ram = create("ram-" + blocks.size());
            ramEnd = 0;
        }
        if (most != UNKNOWN) expect(ram, Math.min(announced, most));
        RamFile block = new RamFile(header, ram.file(false), ramEnd, this::grow);
        ramEnd += header.usedLength();
        return block;
    }

    private static void expect(OutgoingFile scratch, long bytes) throws IOException {
        try {
            scratch.expect(bytes);
        } catch (MigrationException e) {
            throw new MigrationException(
                    e.blame(), e.getMessage() + "; --scratch DIR names another folder", e);
        }
    }

    private void grow(long bytes) throws IOException {
        long now = stored.addAndGet(bytes);
        if (now > asked) ask(now);
    }

    private synchronized void ask(long now) throws IOException {
        if (now <= asked) return;
        room.need(now + STEP);
        asked = now + STEP;
    }

    /** Forgets everything and removes the files. No migration may be running. */
    @Override
    public void close() throws IOException {
        blocks.clear();
        files.forEach(OutgoingFile::close);
        try {
            sections.close();
        } finally {
            Files.delete(directory);
        }
    }
}
