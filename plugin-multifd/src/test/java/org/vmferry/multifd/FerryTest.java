package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.zstd.ZstdCodec;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

class FerryTest {
    static Stream<Arguments> ways() {
        List<Arguments> ways = new ArrayList<>();
        for (int channels : new int[] {1, 2, 8}) {
            for (String codec : List.of("none", "zlib", "zstd")) {
                for (String zeros : List.of("multifd", "legacy", "none")) {
                    for (boolean nativeMemory : new boolean[] {true, false}) {
                        for (boolean eachSection : new boolean[] {false, true}) {
                            ways.add(
                                    Arguments.of(
                                            channels, codec, zeros, nativeMemory, eachSection));
                        }
                    }
                }
            }
        }
        return ways.stream();
    }

    private static CompressionProvider codec(String name) {
        return switch (name) {
            case "zlib" -> new ZlibCodec();
            case "zstd" -> new ZstdCodec();
            default -> null;
        };
    }

    @ParameterizedTest
    @MethodSource("ways")
    @Tag("MFD-9")
    @Tag("MFD-10")
    @Tag("MFD-13")
    @Tag("MFD-14")
    @Tag("MFD-15")
    @Tag("MFD-16")
    void whatIsSentArrives(
            int channels, String codec, String zeros, boolean nativeMemory, boolean eachSection)
            throws Exception {
        Options options =
                Options.DEFAULTS
                        .with(MultifdCarrier.CHANNELS, channels)
                        .with(MultifdCarrier.ZERO_PAGES, zeros)
                        .with(MultifdCarrier.FLUSH_EACH_SECTION, eachSection);
        Random random = new Random(42);
        List<RamBlock> from =
                List.of(
                        Rams.block("pc.ram", 1500, nativeMemory),
                        Rams.block("vga.vram", 77, nativeMemory));
        List<RamBlock> to =
                List.of(
                        Rams.block("vga.vram", 77, nativeMemory),
                        Rams.block("pc.ram", 1500, nativeMemory));
        for (RamBlock block : to) Rams.change(block, random, 50); // anything may stand there
        for (RamBlock block : from) Rams.change(block, random, 100);
        TestSession source;
        TestSession destination;
        long sent = 0;
        try (Ferry ferry = new Ferry("ferry", options, codec(codec), from, to)) {
            source = ferry.source;
            destination = ferry.destination;
            for (RamBlock block : from) {
                ferry.send(new Run(block, 0, (int) block.pages()));
                sent += block.pages();
            }
            ferry.round();
            ferry.endSection();
            for (int round = 0; round < 3; round++) {
                for (RamBlock block : from) {
                    Rams.change(block, random, 30);
                    for (int page = 0; page < block.pages(); ) {
                        int pages = Math.min((int) block.pages() - page, 1 + random.nextInt(40));
                        ferry.send(new Run(block, page, pages));
                        page += pages;
                        sent += pages;
                    }
                }
                ferry.round();
                ferry.endSection();
            }
            ferry.finish();
        }
        assertThat(Rams.content(to.get(1))).isEqualTo(Rams.content(from.get(0)));
        assertThat(Rams.content(to.get(0))).isEqualTo(Rams.content(from.get(1)));
        assertThat(source.threads()).isEmpty();
        assertThat(destination.threads()).isEmpty();
        assertThat(source.failure()).isNull();
        assertThat(destination.failure()).isNull();

        assertThat(source.bytes.sum()).isEqualTo(source.permitted.sum());
        assertThat(source.bytes.sum()).isEqualTo(destination.bytes.sum());
        assertThat(source.normal.sum()).isEqualTo(destination.normal.sum());
        assertThat(source.zero.sum()).isEqualTo(destination.zero.sum());
        if (zeros.equals("none")) assertThat(source.normal.sum()).isEqualTo(sent);
        if (zeros.equals("multifd")) {
            assertThat(source.normal.sum() + source.zero.sum()).isEqualTo(sent);
            assertThat(source.zero.sum()).isGreaterThan(sent / 8);
        } else {
            assertThat(source.zero.sum()).isZero();
        }
    }

    @Test
    @Tag("MFD-2")
    @Tag("MFD-22")
    void channels255() throws Exception {
        Options options = Options.DEFAULTS.with(MultifdCarrier.CHANNELS, 255);
        List<RamBlock> from = List.of(Rams.block("pc.ram", 255 * 128, true));
        List<RamBlock> to = List.of(Rams.block("pc.ram", 255 * 128, true));
        Rams.change(from.getFirst(), new Random(1), 100);
        TestSession source;
        TestSession destination;
        try (Ferry ferry = new Ferry("many", options, new ZlibCodec(), from, to)) {
            source = ferry.source;
            destination = ferry.destination;
            assertThat(source.threads()).hasSize(255).contains("many-src-multifd-send-254");
            ferry.send(new Run(from.getFirst(), 0, 255 * 128));
            ferry.round();
            ferry.endSection();
            ferry.finish();
        }
        assertThat(Rams.content(to.getFirst())).isEqualTo(Rams.content(from.getFirst()));
        assertThat(source.threads()).isEmpty();
        assertThat(destination.threads()).isEmpty();
    }
}
