package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.SPARSE;
import static java.nio.file.StandardOpenOption.WRITE;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.TestSession;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.zstd.ZstdCodec;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
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
                        .with(MultifdOptions.CHANNELS, channels)
                        .with(MultifdOptions.ZERO_PAGES, zeros)
                        .with(MultifdOptions.FLUSH_EACH_SECTION, eachSection);
        Random random = new Random(42);
        List<RamBlock> from =
                List.of(
                        Rams.block("pc.ram", 500, nativeMemory),
                        Rams.block("vga.vram", 77, nativeMemory));
        List<RamBlock> to =
                List.of(
                        Rams.block("vga.vram", 77, nativeMemory),
                        Rams.block("pc.ram", 500, nativeMemory));
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
        Options options = Options.DEFAULTS.with(MultifdOptions.CHANNELS, 255);
        List<RamBlock> from = List.of(Rams.block("pc.ram", 64 * 128, true));
        List<RamBlock> to = List.of(Rams.block("pc.ram", 64 * 128, true));
        Rams.change(from.getFirst(), new Random(1), 100);
        TestSession source;
        TestSession destination;
        try (Ferry ferry = new Ferry("many", options, new ZlibCodec(), from, to)) {
            source = ferry.source;
            destination = ferry.destination;
            assertThat(source.threads()).hasSize(255).contains("many-src-multifd-send-254");
            ferry.send(new Run(from.getFirst(), 0, 64 * 128));
            ferry.round();
            ferry.endSection();
            ferry.finish();
        }
        assertThat(Rams.content(to.getFirst())).isEqualTo(Rams.content(from.getFirst()));
        assertThat(source.threads()).isEmpty();
        assertThat(destination.threads()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("MFD-9")
    void runsAcrossTheEdgesOfBuffersArrive(boolean compressed, @TempDir Path folder)
            throws Exception {
        // More than a byte buffer can show; sparse, so that only the touched pages cost anything.
        long bytes = (5L << 30) / 2;
        try (Arena arena = Arena.ofShared()) {
            List<RamBlock> from = List.of(sparse(folder.resolve("from"), bytes, arena));
            List<RamBlock> to = List.of(sparse(folder.resolve("to"), bytes, arena));
            Random random = new Random(8);
            byte[] page = new byte[Rams.PAGE];
            List<Run> runs = new ArrayList<>();
            for (long edge : new long[] {1L << 30, 2L << 30, bytes}) {
                long end = Math.min(edge + 100 * Rams.PAGE, bytes) / Rams.PAGE;
                runs.add(new Run(from.getFirst(), end - 300, 300));
                for (long at = end - 300; at < end; at += 1 + random.nextInt(2)) {
                    random.nextBytes(page);
                    Rams.write(from.getFirst(), at, page);
                }
            }
            Options options = Options.DEFAULTS.with(MultifdOptions.CHANNELS, 1);
            CompressionProvider codec = compressed ? new ZlibCodec() : null;
            try (Ferry ferry = new Ferry("large", options, codec, from, to)) {
                for (Run run : runs) ferry.send(run);
                ferry.round();
                ferry.endSection();
                ferry.finish();
            }
            for (Run run : runs) {
                assertThat(slice(to, run).mismatch(slice(from, run))).isEqualTo(-1);
            }
        }
    }

    private static MemorySegment slice(List<RamBlock> blocks, Run run) {
        return blocks.getFirst().memory().orElseThrow().asSlice(run.offset(), run.bytes());
    }

    private static RamBlock sparse(Path path, long bytes, Arena arena) throws IOException {
        try (FileChannel file = FileChannel.open(path, CREATE_NEW, READ, WRITE, SPARSE)) {
            return RamBlock.of("pc.ram", file.map(MapMode.READ_WRITE, 0, bytes, arena), Rams.PAGE);
        }
    }
}
