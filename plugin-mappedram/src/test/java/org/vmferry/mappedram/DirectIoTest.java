package org.vmferry.mappedram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vmferry.mappedram.MiniEngine.PAGE;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.TestMain;
import org.vmferry.spi.doubles.TestSession;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** Which saves go around the page cache. */
class DirectIoTest {
    private static final int PAGES = 1000; // a half, and a half of that, are no whole MiB
    private static final long RAM = (long) PAGES * PAGE;
    private static final Options UNSET = Options.DEFAULTS;

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({
        "0, 0, false",
        "1, 0, true",
        "50, 100, false",
        "51, 100, true",
        "50, 99, true",
        "4611686018427387903, 9223372036854775807, false",
        "4611686018427387904, 9223372036854775807, true",
    })
    @Tag("MAP-19")
    void moreThanHalfOfWhatIsAvailablePays(long bytes, long available, boolean pays) {
        assertThat(DirectIo.pays(bytes, available)).isEqualTo(pays);
    }

    /** Saves some RAM, of which a page is not zero; loads it again, and says which way it went. */
    private boolean goesAround(Options options, OptionalLong memory, RamBlock block, boolean takes)
            throws Exception {
        Rams.fill(block, block.pages() - 1, 5);
        List<RamBlock> blocks = List.of(block);
        boolean[] said = new boolean[1];
        try (TestMain out = new TestMain(folder.resolve("f"), 0)) {
            out.takesDirect = takes;
            MiniEngine.save(
                    new MappedRamLayout(() -> memory),
                    out,
                    new TestSession("test", options),
                    blocks,
                    saver -> {
                        said[0] = saver.direct();
                        MiniEngine.everything(blocks).run(saver);
                    });
            assertThat(out.direct.writes.get() > 0).isEqualTo(said[0]);
        }
        PlainFile.Block found = PlainFile.read(folder.resolve("f"), 0).getFirst();
        assertThat(PlainFile.content(folder.resolve("f"), found)).isEqualTo(Rams.content(block));
        return said[0];
    }

    private boolean goesAround(Options options, OptionalLong memory) throws Exception {
        return goesAround(options, memory, Rams.block("b", PAGES, true), true);
    }

    @ParameterizedTest
    @CsvSource({"0, false", "1, true"})
    @Tag("MAP-19")
    void unsetItIsFoundOut(int less, boolean direct) throws Exception {
        assertThat(goesAround(UNSET, OptionalLong.of(2 * RAM - less))).isEqualTo(direct);
    }

    @Test
    @Tag("MAP-19")
    void unknownMemoryIsLeftInPeace() throws Exception {
        assertThat(goesAround(UNSET, OptionalLong.empty())).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("MAP-19")
    void whatIsSetIsDone(boolean direct) throws Exception {
        Options set = UNSET.with(MappedRamOptions.DIRECT_IO, direct);
        assertThat(goesAround(set, OptionalLong.of(0))).isEqualTo(direct);
        assertThat(goesAround(set, OptionalLong.of(Long.MAX_VALUE))).isEqualTo(direct);
        assertThat(goesAround(set, OptionalLong.empty())).isEqualTo(direct);
    }

    /** Its last 100 pages alone may hold something. */
    @ParameterizedTest
    @CsvSource({"0, false", "1, true"})
    @Tag("MAP-19")
    void whatIsKnownToBeZeroIsNotToBeWritten(int less, boolean direct) throws Exception {
        long known = RAM - 100 * PAGE;
        RamBlock block =
                new ForwardingBlock(Rams.block("b", PAGES, true)) {
                    @Override
                    public boolean isKnownZero(long offset, long bytes) {
                        return offset + bytes <= known;
                    }
                };
        long toWrite = 250 * PAGE; // told in pieces of at most 1 MiB
        assertThat(goesAround(UNSET, OptionalLong.of(2 * toWrite - less), block, true))
                .isEqualTo(direct);
    }

    @Test
    @Tag("MAP-19")
    void whereItCannotBeHadItIsLeft() throws Exception {
        RamBlock block = Rams.block("b", PAGES, true);
        assertThat(goesAround(UNSET, OptionalLong.of(0), block, false)).isFalse();
    }

    /** A file system may open a file so, and then not write. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    @Tag("MAP-19")
    void aFileThatRefusesWhatNobodyAskedForIsWrittenWithoutIt(int takes) throws Exception {
        RamBlock block = Rams.block("b", PAGES, true);
        for (int i = 0; i < PAGES; i++) Rams.fill(block, i, i);
        boolean[] said = new boolean[2];
        try (TestMain out = new TestMain(folder.resolve("f"), 0)) {
            out.direct.takes = takes;
            MiniEngine.save(
                    new MappedRamLayout(() -> OptionalLong.of(0)),
                    out,
                    new TestSession("test", UNSET),
                    List.of(block),
                    saver -> {
                        said[0] = saver.direct();
                        MiniEngine.everything(List.of(block)).run(saver);
                        said[1] = saver.direct();
                    });
            assertThat(out.direct.writes).hasValue(takes + 1);
        }
        assertThat(said).containsExactly(true, false);
        PlainFile.Block found = PlainFile.read(folder.resolve("f"), 0).getFirst();
        assertThat(PlainFile.content(folder.resolve("f"), found)).isEqualTo(Rams.content(block));
    }

    /** What somebody asked for is done or refused. */
    @Test
    @Tag("MAP-19")
    void aFileThatRefusesWhatIsSetFailsTheSave() throws Exception {
        RamBlock block = Rams.block("b", PAGES, true);
        Rams.fill(block, 0, 1);
        Options set = UNSET.with(MappedRamOptions.DIRECT_IO, true);
        try (TestMain out = new TestMain(folder.resolve("f"), 0)) {
            out.direct.takes = 0;
            assertThatThrownBy(
                            () ->
                                    MiniEngine.save(
                                            new MappedRamLayout(() -> OptionalLong.of(0)),
                                            out,
                                            new TestSession("test", set),
                                            List.of(block),
                                            MiniEngine.everything(List.of(block))))
                    .hasMessageContaining("Invalid argument");
        }
    }

    @Test
    @Tag("MAP-19")
    void pagesSmallerThanTheAlignmentAreWrittenWithoutIt() throws Exception {
        RamBlock small = Rams.block("small", 8, 512, true);
        boolean[] said = {true};
        try (TestMain out = new TestMain(folder.resolve("f"), 0)) {
            MiniEngine.save(
                    new MappedRamLayout(() -> OptionalLong.of(0)),
                    out,
                    new TestSession("test", UNSET),
                    List.of(small),
                    saver -> said[0] = saver.direct());
        }
        assertThat(said[0]).isFalse();
    }
}
