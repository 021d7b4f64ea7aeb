package org.vmferry.testkit.parts;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.vmferry.engine.memory.KernelDirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.testkit.conformance.DirtyLogConformance.LateStore;
import org.vmferry.testkit.conformance.DirtyLogConformance.Store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntFunction;

/** A guest whose RAM the kernel watches. */
class WatchedGuest extends LoggedGuest {
    private final RamProvider ram;

    private WatchedGuest(IntFunction<MemorySegment> memory, boolean shared) {
        super(memory);
        RamBlock block = RamBlock.of("any", Arena.ofAuto().allocate(4096, 4096), 4096);
        Optional<String> obstacle = KernelDirtyLog.obstacle(block);
        assumeTrue(obstacle.isEmpty(), obstacle::get);
        ram = shared ? KernelDirtyLog.writtenHereAlone(blocks) : new KernelDirtyLog(blocks);
    }

    /** In ordinary memory. */
    WatchedGuest() {
        this(bytes -> Arena.ofAuto().allocate(bytes, 4096), false);
    }

    @Override
    public RamProvider ram() {
        return ram;
    }

    @Override
    public Map<String, Store> stores() {
        return new TreeMap<>(Map.of("CPU", this::store, "the host's read(2)", this::read));
    }

    /** The kernel's copy into RAM. */
    private void read(RamBlock block, long offset, byte value) {
        try {
            Path file = Files.createTempFile("stored", "");
            Files.write(file, new byte[] {value});
            ByteBuffer into = own(block).memory().orElseThrow().asSlice(offset, 1).asByteBuffer();
            try (FileChannel channel = FileChannel.open(file)) {
                channel.read(into);
            }
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Optional<LateStore> lateStore() {
        return Optional.empty();
    }

    /** In memory that is mapped twice: what is stored through the other mapping, nobody sees. */
    static final class MappedTwice extends WatchedGuest {
        private final Map<String, MemorySegment> others;

        private MappedTwice(List<MemorySegment> others, IntFunction<MemorySegment> memory) {
            super(memory, true);
            this.others = Map.of("first", others.getFirst(), "second", others.getLast());
        }

        static MappedTwice create() {
            List<MemorySegment> others = new ArrayList<>();
            return new MappedTwice(
                    others,
                    bytes -> {
                        try {
                            Path file = Files.createTempFile("twice", "");
                            try (FileChannel channel =
                                    FileChannel.open(
                                            file,
                                            StandardOpenOption.READ,
                                            StandardOpenOption.WRITE,
                                            StandardOpenOption.DELETE_ON_CLOSE)) {
                                others.add(map(channel, bytes));
                                return map(channel, bytes);
                            }
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    });
        }

        private static MemorySegment map(FileChannel file, int bytes) throws IOException {
            return file.map(FileChannel.MapMode.READ_WRITE, 0, bytes, Arena.ofAuto());
        }

        /** As a device does it: past the kernel's eyes; the host marks what has come. */
        @Override
        public Optional<LateStore> lateStore() {
            KernelDirtyLog log = (KernelDirtyLog) ram();
            return Optional.of(
                    (block, offset, value) ->
                            () -> {
                                others.get(block.id()).set(ValueLayout.JAVA_BYTE, offset, value);
                                log.mark(block, offset, 1);
                            });
        }
    }
}
