package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A machine of three blocks, one over 2 GiB, and a reader that knows only the format's text. */
class SparseTest {
    private static final long LARGE = (2L << 30) + (64 << 20);
    private static final int PAGE = 4096;
    @TempDir Path directory;

    /** Of anonymous memory, of which the system gives only what is written to. */
    private static List<RamBlock> blocks() {
        List<RamBlock> blocks = new ArrayList<>();
        long[] lengths = {LARGE, 5 * PAGE, 300 * PAGE};
        for (int i = 0; i < 3; i++) {
            blocks.add(untouched(RamBlock.of("block" + i, mapped(lengths[i]), PAGE)));
        }
        return blocks;
    }

    /**
     * Nobody writes between its front and where 2 GiB end: that needs no look, which takes long.
     */
    private static RamBlock untouched(RamBlock block) {
        return new ForwardingBlock(block) {
            @Override
            public boolean isKnownZero(long offset, long bytes) {
                return offset >= 1 << 20 && offset + bytes <= (2L << 30) - (1 << 20);
            }
        };
    }

    /** mmap(2) of nothing; it goes with the process. */
    @SuppressWarnings("restricted")
    private static MemorySegment mapped(long length) {
        Linker linker = Linker.nativeLinker();
        MethodHandle mmap =
                linker.downcallHandle(
                        linker.defaultLookup().find("mmap").orElseThrow(),
                        FunctionDescriptor.of(
                                ValueLayout.ADDRESS,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG));
        try {
            int protection = 1 | 2; // read, write
            int flags = 2 | 0x20 | 0x4000; // private, anonymous, no reserve
            Object at = mmap.invoke(MemorySegment.NULL, length, protection, flags, -1, 0L);
            assertThat(((MemorySegment) at).address()).as("mmap").isNotEqualTo(-1);
            return ((MemorySegment) at).reinterpret(length);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static final long[] PRESENT = {
        0, 1, 77, (2L << 30) / PAGE - 1, (2L << 30) / PAGE, LARGE / PAGE - 1
    };

    @Test
    @Tag("MAP-2")
    @Tag("MAP-3")
    @Tag("MAP-4")
    @Tag("MAP-5")
    @Tag("MAP-7")
    void aBlockOver2GiB() throws Exception {
        Path file = directory.resolve("vm");
        Engine engine = Engine.create();
        Settings mapped = Settings.NONE.capability("mapped-ram");
        TestMachine source = new TestMachine(RunState.RUNNING, blocks());
        MemorySegment memory = source.ram().blocks().getFirst().memory().orElseThrow();
        for (long page : PRESENT) memory.set(ValueLayout.JAVA_LONG, page * PAGE, page + 1);
        source.ram().blocks().get(2).write(0, MemorySegment.ofArray(new byte[] {5}));
        engine.send(source, "file:" + file, mapped).await();
        assertThat(Files.size(file)).isGreaterThan(LARGE);
        assertThat((long) Files.getAttribute(file, "unix:size")).isGreaterThan(LARGE);
        independently(file);
        TestMachine target = new TestMachine(RunState.INMIGRATE, blocks());
        engine.receive(target, "file:" + file, mapped).await();
        memory = target.ram().blocks().getFirst().memory().orElseThrow();
        for (long page : PRESENT) {
            assertThat(memory.get(ValueLayout.JAVA_LONG, page * PAGE)).isEqualTo(page + 1);
        }
    }

    /** From the format's description alone; shares no code with the engine. */
    private static void independently(Path path) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
            assertThat(file.readInt()).isEqualTo(0x5145564d);
            assertThat(file.readInt()).isEqualTo(3);
            assertThat(file.read()).isEqualTo(7);
            assertThat(text(file, file.readInt())).isEqualTo("test");
            assertThat(file.read()).isEqualTo(5);
            assertThat(text(file, file.read())).isEqualTo("configuration/target-page-bits");
            assertThat(file.readInt()).isEqualTo(1);
            assertThat(file.readInt()).isEqualTo(12);
            assertThat(file.read()).isEqualTo(5);
            assertThat(text(file, file.read())).isEqualTo("configuration/capabilities");
            assertThat(file.readInt()).isEqualTo(1);
            assertThat(file.readInt()).isEqualTo(1);
            assertThat(text(file, file.read())).isEqualTo("mapped-ram");
            assertThat(file.read()).isEqualTo(1);
            int section = file.readInt();
            assertThat(text(file, file.read())).isEqualTo("ram");
            assertThat(file.readInt()).isZero();
            assertThat(file.readInt()).isEqualTo(4);
            long[] lengths = {LARGE, 5 * PAGE, 300 * PAGE};
            assertThat(file.readLong()).isEqualTo(LARGE + 305 * PAGE | 4);
            for (int i = 0; i < 3; i++) {
                assertThat(text(file, file.read())).isEqualTo("block" + i);
                assertThat(file.readLong()).isEqualTo(lengths[i]);
                assertThat(file.readInt()).isEqualTo(1);
                assertThat(file.readLong()).isEqualTo(PAGE);
                long bitmap = file.readLong();
                long pages = file.readLong();
                assertThat(bitmap).isEqualTo(file.getFilePointer());
                long words = (lengths[i] / PAGE + 63) / 64;
                assertThat(pages % (1 << 20)).isZero();
                assertThat(pages).isGreaterThanOrEqualTo(bitmap + words * 8);
                file.seek(bitmap);
                byte[] bits = new byte[(int) words * 8];
                file.readFully(bits);
                List<Long> present = new ArrayList<>();
                for (long page = 0; page < lengths[i] / PAGE; page++) {
                    if ((bits[(int) (page / 8)] >> page % 8 & 1) != 0) present.add(page);
                }
                switch (i) {
                    case 0 -> {
                        assertThat(present).containsExactly(0L, 1L, 77L, 524287L, 524288L, 540671L);
                        for (long page : present) {
                            file.seek(pages + page * PAGE);
                            assertThat(Long.reverseBytes(file.readLong())).isEqualTo(page + 1);
                        }
                    }
                    case 1 -> assertThat(present).isEmpty();
                    default -> assertThat(present).containsExactly(0L);
                }
                file.seek(pages + lengths[i]);
            }
            assertThat(file.readLong()).isEqualTo(0x10);
            assertThat(file.read()).isEqualTo(0x7e);
            assertThat(file.readInt()).isEqualTo(section);
            int mark;
            while ((mark = file.read()) == 2 || mark == 3) {
                assertThat(file.readInt()).isEqualTo(section);
                assertThat(file.readLong()).isEqualTo(0x10);
                assertThat(file.read()).isEqualTo(0x7e);
                assertThat(file.readInt()).isEqualTo(section);
            }
            assertThat(mark).isEqualTo(4);
            assertThat(file.readInt()).isNotEqualTo(section);
            assertThat(text(file, file.read())).isEqualTo("number");
        }
    }

    private static String text(RandomAccessFile file, int length) throws IOException {
        byte[] bytes = new byte[length];
        file.readFully(bytes);
        return new String(bytes, "UTF-8");
    }
}
