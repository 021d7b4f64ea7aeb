package org.vmferry.mappedram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.vmferry.mappedram.MiniEngine.PAGE;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.TestMain;
import org.vmferry.spi.layout.FileIn;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Damaged files: named, and nothing is opened. */
@Tag("MAP-8")
class HostileFileTest {
    @TempDir Path folder;
    private Path path;
    private List<PlainFile.Block> blocks;
    private long size;

    @BeforeEach
    void file() throws IOException {
        path = folder.resolve("f");
        byte[] area = new byte[100 * PAGE];
        Arrays.fill(area, (byte) 3);
        boolean[] present = new boolean[100];
        Arrays.fill(present, 10, 90, true);
        blocks =
                PlainFile.write(
                        path, 0, List.of("a", "b"), List.of(area, area), List.of(present, present));
        size = path.toFile().length();
    }

    /** Fails if it is asked for anything. */
    private static final class Untouched implements RamTarget {
        @Override
        public RamBlock open(BlockHeader header) {
            throw new AssertionError("opened " + header);
        }

        @Override
        public Optional<Arena> adopts(BlockHeader header) {
            throw new AssertionError("would map " + header);
        }
    }

    private Throwable load() throws IOException {
        try (TestMain in = new TestMain(path, 0)) {
            return catchThrowable(
                    () -> MiniEngine.load(in, MiniEngine.session(false), new Untouched()));
        }
    }

    private void put(long position, long value, int bytes) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.seek(position);
            if (bytes == 4) file.writeInt((int) value);
            else file.writeLong(value);
        }
    }

    /**
     * Field, its offset in the header, and what to put there; of the first and the second block.
     */
    @ParameterizedTest
    @CsvSource({
        "version, 0, 2",
        "version, 0, -1",
        "version, 0, 16777216",
        "page size, 4, 0",
        "page size, 4, -1",
        "page size, 4, 1",
        "page size, 4, 2048",
        "page size, 4, 8192",
        "page size, 4, 4294971392",
        "page size, 4, -9223372036854775808",
        "bitmap offset, 12, 0",
        "bitmap offset, 12, -1",
        "bitmap offset, 12, 9223372036854775807",
        "bitmap offset, 12, -9223372036854775808",
        "bitmap offset, 12, 20",
        "bitmap offset, 12, 100000000",
        "pages offset, 20, 0",
        "pages offset, 20, -1",
        "pages offset, 20, -4096",
        "pages offset, 20, 4096000000000",
        "pages offset, 20, 9223372036854771712",
        "pages offset, 20, -9223372036854775808",
    })
    void wrongHeaderFieldIsNamed(String field, int offset, long value) throws IOException {
        for (PlainFile.Block block : blocks) {
            file();
            put(block.headerAt + offset, value, offset == 0 ? 4 : 8);
            String shown =
                    offset == 0
                            ? Integer.toUnsignedString((int) value)
                            : Long.toUnsignedString(value);
            assertThat(load())
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("'" + block.id + "'")
                    .hasMessageContaining("the " + field + " in")
                    .hasMessageContaining("at " + block.headerAt + " ")
                    .hasMessageContaining("is " + shown + ",")
                    .hasMessageContaining("allowed is")
                    .extracting(e -> ((MigrationException) e).blame())
                    .isEqualTo(Blame.PEER);
        }
    }

    @Test
    void whatOverlapsIsNamed() throws IOException {
        for (PlainFile.Block block : blocks) {
            long[][] wrong = {
                {12, block.headerAt + 27}, // bitmap on the header
                {12, block.pagesAt - block.bitmap.length + 1}, // bitmap into the pages
                {12, block.pagesAt}, // bitmap on the pages
                {20, block.headerAt / PAGE * PAGE}, // pages on the header
                {20, block.pagesAt + 1}, // not aligned
                {20, block.pagesAt + 512},
                {20, (size - block.used) / PAGE * PAGE + PAGE}, // past the end
            };
            for (long[] change : wrong) {
                file();
                put(block.headerAt + change[0], change[1], 8);
                assertThat(load())
                        .as("%d at +%d", change[1], change[0])
                        .isInstanceOf(MigrationException.class)
                        .hasMessageContaining("'" + block.id + "'")
                        .hasMessageContaining("allowed is");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, -4096, 1, 4095, 1L << 62, Long.MAX_VALUE - 4095, 1L << 40})
    void wrongUsedLengthIsNamed(long used) throws IOException {
        for (PlainFile.Block block : blocks) {
            file();
            put(block.headerAt - 8, used, 8);
            assertThat(load())
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("'" + block.id + "'")
                    .hasMessageContaining("used length")
                    .hasMessageContaining(Long.toUnsignedString(used));
        }
    }

    /** A sparse file may be as long as any; what is kept of its bitmaps must fit all the same. */
    @Test
    void moreBlocksThanFitAreNamed() throws IOException {
        long most = 1L << 36;
        long[] at = {0};
        Object file = proxy(PositionedFile.class, (name, argument) -> Long.MAX_VALUE);
        FileIn in =
                proxy(
                        FileIn.class,
                        (name, argument) ->
                                switch (name) {
                                    case "position" -> at[0];
                                    case "file" -> file;
                                    case "seek" -> at[0] = (long) argument;
                                    default -> {
                                        byte[] header =
                                                MappedRamHeader.at(at[0], most, PAGE).encode();
                                        at[0] += header.length;
                                        yield ((MemorySegment) argument)
                                                .copyFrom(MemorySegment.ofArray(header));
                                    }
                                });
        try (FileLayout.Loader loader = new MappedRamLoader(MiniEngine.session(false))) {
            loader.block(in, header("a", most));
            assertThatThrownBy(() -> loader.block(in, header("b", most)))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("up to 'b'")
                    .hasMessageContaining("137438953472 pages, allowed are 68719476736");
        }
    }

    private static BlockHeader header(String id, long pages) {
        return new BlockHeader(id, pages * PAGE, PAGE, OptionalLong.empty());
    }

    private interface Says {
        Object say(String method, Object argument);
    }

    private static <T> T proxy(Class<T> type, Says says) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (proxy, method, arguments) -> {
                            Object argument = arguments == null ? null : arguments[0];
                            Object said = says.say(method.getName(), argument);
                            return method.getReturnType() == void.class ? null : said;
                        }));
    }

    @Test
    void fileCutAtEveryFourKibibytes() throws IOException {
        for (long cut = size / PAGE * PAGE; cut > PAGE; cut -= PAGE) {
            try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
                file.setLength(cut);
            }
            Throwable thrown = load();
            assertThat(thrown).as("cut at %d", cut).isInstanceOf(IOException.class);
            if (thrown instanceof MigrationException e) {
                assertThat(e)
                        .hasMessageContaining("allowed is")
                        .hasMessageContaining("" + cut)
                        .extracting(MigrationException::blame)
                        .isEqualTo(Blame.PEER);
            }
        }
    }

    @Test
    void fileThatShrinksMeanwhileIsNamed() throws Exception {
        RamTarget cuts =
                header -> {
                    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
                        if (header.id().equals("b")) file.setLength(blocks.getLast().pagesAt);
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                    return Hosts.BYTES.block(header.id(), 100, null);
                };
        try (TestMain in = new TestMain(path, 0)) {
            assertThatThrownBy(() -> MiniEngine.load(in, MiniEngine.session(false), cuts))
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void sameBlockTwice() throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.seek(blocks.getLast().headerAt - 9);
            file.writeByte('a');
        }
        assertThat(load())
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("'a'")
                .hasMessageContaining("second time");
    }

    @Test
    @Tag("MAP-3")
    void versionZeroIsTaken() throws IOException {
        put(blocks.getFirst().headerAt, 0, 4);
        RamTarget target = header -> Hosts.BYTES.block(header.id(), 100, null);
        try (TestMain in = new TestMain(path, 0)) {
            MiniEngine.load(in, MiniEngine.session(false), target);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0x200, MULTIFD_FLUSH",
        "0x8, PAGE",
        "0x2, ZERO",
        "0x40, XBZRLE",
        "0x80, HOOK",
        "0x30, 'EOS, CONTINUE'",
        "0x1010, EOS",
        "0x0, record 0x0"
    })
    @Tag("MAP-6")
    void recordsAreErrors(String record, String name) throws IOException {
        RamTarget target = header -> Hosts.BYTES.block(header.id(), 100, null);
        long start = size - 4 - 16;
        for (long at : new long[] {start, start + 8}) {
            file();
            put(at, Long.decode(record), 8);
            try (TestMain in = new TestMain(path, 0)) {
                assertThatThrownBy(() -> MiniEngine.load(in, MiniEngine.session(false), target))
                        .isInstanceOf(MigrationException.class)
                        .hasMessageContaining(record)
                        .hasMessageContaining(name)
                        .hasMessageContaining("at " + at);
            }
        }
    }
}
