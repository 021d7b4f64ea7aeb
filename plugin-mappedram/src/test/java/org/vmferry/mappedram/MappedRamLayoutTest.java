package org.vmferry.mappedram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.spi.layout.FileLayout;

import java.lang.foreign.MemorySegment;
import java.lang.module.ModuleFinder;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.ServiceLoader;

/** The provider, and the header's encoding. */
class MappedRamLayoutTest {
    @Test
    void isFoundOnTheClassPathAndDeclaredOnTheModulePath() throws Exception {
        assertThat(ServiceLoader.load(FileLayout.class))
                .singleElement()
                .isInstanceOf(MappedRamLayout.class);
        Path classes =
                Path.of(
                        MappedRamLayout.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI());
        var provides =
                ModuleFinder.of(classes)
                        .find("org.vmferry.mappedram")
                        .orElseThrow()
                        .descriptor()
                        .provides();
        assertThat(provides)
                .singleElement()
                .satisfies(
                        p -> {
                            assertThat(p.service()).isEqualTo(FileLayout.class.getName());
                            assertThat(p.providers())
                                    .isEqualTo(List.of(MappedRamLayout.class.getName()));
                        });
    }

    @Test
    @Tag("MAP-16")
    void saysWhatItExcludes() {
        FileLayout layout = new MappedRamLayout();
        assertThat(layout.id()).isEqualTo("mapped-ram");
        assertThat(layout.options())
                .containsExactly(MappedRamOptions.MAPPED_RAM, MappedRamOptions.DIRECT_IO);
        assertThat(MappedRamOptions.MAPPED_RAM.excludes())
                .contains("xbzrle", "postcopy-ram", "return-path");
    }

    @Test
    @Tag("MAP-3")
    void headerIsTwentyEightBytesBigEndian() {
        MappedRamHeader header =
                new MappedRamHeader(1, 4096, 0x1122334455667788L, 0x99aabbccddeeff00L);
        assertThat(HexFormat.of().formatHex(header.encode()))
                .isEqualTo("0000000100000000000010001122334455667788" + "99aabbccddeeff00");
        assertThat(MappedRamHeader.decode(MemorySegment.ofArray(header.encode())))
                .isEqualTo(header);
    }

    /** 64 pages: a bitmap of 8 bytes, with 16 for the mark, then the pages. */
    @ParameterizedTest
    @CsvSource({
        "100, 1048576",
        "1048524, 1048576", // 28 + 8 + 16 end at the boundary
        "1048525, 2097152", // no room for the mark
        "1048540, 2097152", // header and bitmap end at the boundary
        "1048576, 2097152"
    })
    @Tag("MAP-4")
    @Tag("MAP-5")
    @Tag("MAP-11")
    void pagesBeginAtTheNextBoundaryThatLeavesRoomForTheMark(long position, long pages) {
        MappedRamHeader header = MappedRamHeader.at(position, 64, 4096);
        assertThat(header.bitmapOffset()).isEqualTo(position + 28);
        assertThat(header.pagesOffset()).isEqualTo(pages);
    }

    @Test
    @Tag("MAP-4")
    void bitmapsAreWholeWords() {
        assertThat(MappedRamHeader.bitmapBytes(0)).isZero();
        assertThat(MappedRamHeader.bitmapBytes(1)).isEqualTo(8);
        assertThat(MappedRamHeader.bitmapBytes(64)).isEqualTo(8);
        assertThat(MappedRamHeader.bitmapBytes(65)).isEqualTo(16);
        assertThat(MappedRamHeader.bitmapBytes(Long.MAX_VALUE)).isEqualTo(1L << 60);
    }

    @Test
    @Tag("MAP-5")
    void noFileIsLongerThanALong() {
        assertThatThrownBy(() -> MappedRamHeader.at(Long.MAX_VALUE - 100, 1, 4096))
                .isInstanceOf(ArithmeticException.class);
        assertThatThrownBy(() -> MappedRamHeader.at(0, 1L << 52, 4096))
                .isInstanceOf(ArithmeticException.class);
    }
}
