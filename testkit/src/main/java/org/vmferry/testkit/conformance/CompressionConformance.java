package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.engine.discovery.KnownPlugins;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.compression.CompressionProvider.Compressor;
import org.vmferry.spi.compression.CompressionProvider.Decompressor;
import org.vmferry.spi.option.Parameter;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** A codec: docs/spi/compression.md. */
@Status(Status.Level.STABLE)
public abstract class CompressionConformance extends ProviderConformance<CompressionProvider> {
    private static final int PAGE = 4096;

    /** For the author's class. */
    protected CompressionConformance() {}

    /**
     * How many bytes of pages a packet has here.
     *
     * @return a multiple of 4096, at least 8 pages; by default 128 pages, as QEMU has it
     */
    protected int packet() {
        return 128 * PAGE;
    }

    /** Which pages a packet holds. */
    private enum Pages {
        ZERO,
        TEXT,
        MIXED,
        NOISE
    }

    private final Map<Pages, ByteBuffer> made = new EnumMap<>(Pages.class);

    /** A copy, as one is emptied. */
    private ByteBuffer pages(Pages kind) {
        ByteBuffer pages = made.computeIfAbsent(kind, this::make);
        return ByteBuffer.allocateDirect(packet()).put(pages.rewind()).flip();
    }

    private ByteBuffer make(Pages kind) {
        SplittableRandom random = new SplittableRandom(kind.ordinal());
        ByteBuffer pages = ByteBuffer.allocateDirect(packet());
        while (pages.hasRemaining()) {
            boolean noise = kind == Pages.NOISE || kind == Pages.MIXED && random.nextInt(512) < 200;
            if (kind == Pages.ZERO) pages.putLong(0);
            else pages.putLong(noise ? random.nextLong() : 0x2020202020203030L + random.nextInt(9));
        }
        return pages.flip();
    }

    /** More room than is promised to be needed. */
    private ByteBuffer room(Compressor compressor) {
        return ByteBuffer.allocateDirect(compressor.maximumOutput(packet()) + packet() + (1 << 20));
    }

    private ByteBuffer compressed(Compressor compressor, Pages kind) throws IOException {
        ByteBuffer data = room(compressor);
        ByteBuffer pages = pages(kind);
        compressor.compress(pages, data, true);
        empty(pages, "compress()");
        return data.flip();
    }

    private static void empty(ByteBuffer source, String method) {
        assertEquals(0, source.remaining(), method + ": leaves bytes of its source");
    }

    private void decodes(Decompressor decompressor, ByteBuffer data, Pages kind, String lookAt)
            throws IOException {
        ByteBuffer pages = ByteBuffer.allocateDirect(packet());
        done(lookAt + ": decompress()", () -> decompressor.decompress(data, pages));
        assertEquals(0, pages.remaining(), lookAt + ": decompress() leaves room in its target");
        String left = ": endPacket(), of a packet with %d bytes left".formatted(data.remaining());
        done(lookAt + left, () -> decompressor.endPacket(data));
        empty(data, lookAt + left);
        int differs = pages(kind).mismatch(pages.flip());
        assertEquals(-1, differs, lookAt + ": other bytes from here on");
    }

    private interface Step {
        void run() throws IOException;
    }

    private static void done(String lookAt, Step step) {
        works(
                lookAt,
                () -> {
                    step.run();
                    return null;
                });
    }

    /** One that is out of range is the finding of another rule, and in nobody's way. */
    private int defaultLevel() throws Exception {
        Parameter<Integer> level = provider().level();
        int preset = level.defaultValue();
        return takes(level, Integer.toString(preset)) ? preset : levels().getFirst();
    }

    private Compressor compressor(CompressionProvider codec, int level) {
        return works(
                "compressor(): level %d, which level() takes".formatted(level),
                () -> codec.compressor(level));
    }

    @Test
    @Tag("CMP-1")
    final void itsMethodFitsIntoAPacket() throws Exception {
        int method = provider().wireMethod();
        assertTrue(method >= 1 && method <= 31, "wireMethod(): " + method + " is not 1 to 31");
        String id = provider().id();
        String owner = KnownPlugins.codec(method).orElse(id);
        assertEquals(owner, id, "wireMethod(): " + method + " is another codec's");
    }

    @Test
    @Tag("CMP-2")
    final void itsLevelIsAnOption() throws Exception {
        CompressionProvider codec = provider();
        Parameter<Integer> level = codec.level();
        assertTrue(
                codec.options().stream().anyMatch(option -> option.name().equals(level.name())),
                "options(): '" + level.name() + "', which is the level(), is not among them");
    }

    /** The lowest and the highest level that its option takes, and what lies between in steps. */
    private List<Integer> levels() throws Exception {
        Parameter<Integer> level = provider().level();
        List<Integer> levels = new ArrayList<>();
        for (int value = -256; value <= 256; value++) {
            if (takes(level, Integer.toString(value))) levels.add(value);
        }
        // All of a long range would take its time.
        int last = levels.size() - 1;
        int step = Math.max(1, levels.size() / 5);
        return IntStream.rangeClosed(0, last)
                .filter(i -> i % step == 0 || i == last)
                .mapToObj(levels::get)
                .toList();
    }

    @Test
    @Tag("CMP-3")
    final void anyBytesComeBackAtEveryLevel() throws Exception {
        for (int level : levels()) {
            try (Compressor compressor = compressor(provider(), level);
                    Decompressor decompressor = provider().decompressor()) {
                for (Pages kind : Pages.values()) {
                    decodes(
                            decompressor,
                            compressed(compressor, kind),
                            kind,
                            "compress(), decompress(): level %d, %s".formatted(level, kind));
                }
            }
        }
    }

    @Test
    @Tag("CMP-4")
    final void packetsAreOneStreamAndEachIsFlushed() throws Exception {
        try (Compressor compressor = compressor(provider(), defaultLevel());
                Decompressor decompressor = provider().decompressor()) {
            for (int packet = 0; packet < 40; packet++) {
                Pages kind = Pages.values()[packet * 7 % 4];
                // Decoded before the next one is made: nothing of it may be kept back.
                decodes(
                        decompressor,
                        compressed(compressor, kind),
                        kind,
                        "compress(): packet %d must be flushed, its decoder kept"
                                .formatted(packet));
            }
        }
    }

    @Test
    @Tag("CMP-5")
    final void aPacketComesInPieces() throws Exception {
        try (Compressor compressor = compressor(provider(), defaultLevel());
                Decompressor decompressor = provider().decompressor()) {
            ByteBuffer pages = pages(Pages.MIXED);
            ByteBuffer data = room(compressor);
            for (int at = 0, length = PAGE; at < packet(); at += length, length *= 2) {
                length = Math.min(length, packet() - at);
                ByteBuffer piece = pages.slice(at, length);
                compressor.compress(piece, data, at + length == packet());
                assertFalse(piece.hasRemaining(), "compress(): must empty its source");
            }
            decodes(decompressor, data.flip(), Pages.MIXED, "compress(): a packet of pieces");
        }
    }

    @Test
    @Tag("CMP-6")
    final void itsOutputIsBounded() throws Exception {
        for (int level : levels()) {
            try (Compressor compressor = compressor(provider(), level)) {
                bounded(compressor, level);
            }
        }
    }

    private void bounded(Compressor compressor, int level) throws IOException {
        int most = compressor.maximumOutput(packet());
        assertTrue(
                most <= 2 * packet() + (1 << 16),
                "maximumOutput(): %d bytes for %d".formatted(most, packet()));
        for (Pages kind : Pages.values()) {
            ByteBuffer exact = ByteBuffer.allocateDirect(most);
            assertDoesNotThrow(
                    () -> compressor.compress(pages(kind), exact, true),
                    "maximumOutput(): so much room, %d bytes, must do at level %d"
                            .formatted(most, level));
            ByteBuffer pages = pages(kind);
            ByteBuffer same = exact.clear();
            assertDoesNotThrow(
                    () -> {
                        for (int at = 0; at < packet(); at += PAGE) {
                            int length = Math.min(PAGE, packet() - at);
                            boolean last = at + length == packet();
                            compressor.compress(pages.slice(at, length), same, last);
                        }
                    },
                    "maximumOutput(): so much room, %d bytes, must do at level %d page by page, too"
                            .formatted(most, level));
        }
    }

    @Test
    @Tag("CMP-7")
    final void aPacketIsDecodedInPieces() throws Exception {
        try (Compressor compressor = compressor(provider(), defaultLevel());
                Decompressor decompressor = provider().decompressor()) {
            ByteBuffer data = compressed(compressor, Pages.MIXED);
            ByteBuffer pages = ByteBuffer.allocateDirect(packet());
            for (int at = 0, length = 1; at < packet(); at += length, length *= 3) {
                length = Math.min(length, packet() - at);
                ByteBuffer piece = pages.slice(at, length);
                decompressor.decompress(data, piece);
                assertFalse(piece.hasRemaining(), "decompress(): must fill its target");
            }
            decompressor.endPacket(data);
            empty(data, "endPacket()");
            assertEquals(pages(Pages.MIXED), pages, "decompress(): other bytes in pieces");
        }
    }

    /** The peer's fault, or no fault. */
    private static void blamed(IOException e, String lookAt) {
        Blame blame = e instanceof MigrationException typed ? typed.blame() : null;
        assertEquals(Blame.PEER, blame, lookAt + ": wants MigrationException.peer, threw " + e);
    }

    @Test
    @Tag("CMP-8")
    final void damageIsThePeersFault() throws Exception {
        SplittableRandom random = new SplittableRandom(8);
        ByteBuffer whole;
        try (Compressor compressor = compressor(provider(), defaultLevel())) {
            whole = compressed(compressor, Pages.MIXED);
        }
        for (int round = 0; round < 100; round++) {
            try (Decompressor decompressor = provider().decompressor()) {
                ByteBuffer data = ByteBuffer.allocateDirect(whole.limit()).put(whole.rewind());
                data.flip();
                int from = round % 2 == 0 ? 0 : random.nextInt(data.limit());
                for (int i = from; i < Math.min(from + 50, data.limit()); i++)
                    data.put(i, (byte) random.nextInt(256));
                try {
                    decompressor.decompress(data, ByteBuffer.allocateDirect(packet()));
                    decompressor.endPacket(data); // it may decode to something
                } catch (IOException e) {
                    blamed(e, "decompress(), endPacket(): damaged data");
                } catch (RuntimeException e) {
                    fail("decompress(), endPacket(): damaged data are the peer's fault: " + e, e);
                }
            }
        }
    }

    @Test
    @Tag("CMP-9")
    final void tooLittleIsThePeersFault() throws Exception {
        for (int missing : new int[] {10, 1000}) {
            try (Compressor compressor = compressor(provider(), defaultLevel());
                    Decompressor decompressor = provider().decompressor()) {
                ByteBuffer data = compressed(compressor, Pages.NOISE);
                data.limit(data.limit() - missing);
                ByteBuffer pages = ByteBuffer.allocateDirect(packet());
                String lookAt = "decompress(): %d bytes too few must be refused".formatted(missing);
                Throwable thrown =
                        refused(
                                lookAt,
                                () -> decompressor.decompress(data, pages),
                                IOException.class);
                blamed((IOException) thrown, lookAt);
            }
        }
    }

    @Test
    @Tag("CMP-10")
    final void tooMuchIsThePeersFault() throws Exception {
        for (int less : new int[] {1, PAGE, packet() - PAGE}) {
            try (Compressor compressor = compressor(provider(), defaultLevel());
                    Decompressor decompressor = provider().decompressor()) {
                ByteBuffer data = compressed(compressor, Pages.NOISE);
                decompressor.decompress(data, ByteBuffer.allocateDirect(packet() - less));
                String lookAt = "endPacket(): %d bytes too many must be refused".formatted(less);
                Throwable thrown =
                        refused(lookAt, () -> decompressor.endPacket(data), IOException.class);
                blamed((IOException) thrown, lookAt);
            }
        }
    }

    @Test
    @Tag("CMP-11")
    final void eachChannelHasItsOwn() throws Exception {
        CompressionProvider codec = provider();
        try (Compressor one = compressor(codec, defaultLevel());
                Decompressor back = codec.decompressor()) {
            for (Pages kind : Pages.values())
                decodes(back, compressed(one, kind), kind, "compressor(): a packet, " + kind);
        }
        try (Compressor one = compressor(codec, defaultLevel());
                Decompressor oneBack = codec.decompressor();
                Compressor two = compressor(codec, defaultLevel());
                Decompressor twoBack = codec.decompressor()) {
            for (int packet = 0; packet < 6; packet++) {
                Pages a = Pages.values()[packet % 4];
                Pages b = Pages.values()[(packet + 1) % 4];
                String lookAt = "compressor(), decompressor(): two at once are in each other's way";
                ByteBuffer first = compressed(one, a);
                ByteBuffer second = compressed(two, b);
                decodes(twoBack, second, b, lookAt);
                decodes(oneBack, first, a, lookAt);
            }
        }
    }

    @Test
    @Tag("CMP-12")
    final void itsLevelCounts() throws Exception {
        int lowest = levels().getFirst();
        int highest = levels().getLast();
        needs(lowest != highest, "level(): has one value only");
        assertNotEquals(
                textAt(lowest),
                textAt(highest),
                "compressor(): the same text takes the same bytes at level %d and level %d"
                        .formatted(lowest, highest));
    }

    private int textAt(int level) throws Exception {
        try (Compressor compressor = compressor(provider(), level)) {
            return compressed(compressor, Pages.TEXT).remaining();
        }
    }

    @Test
    @Tag("CMP-13")
    final void withoutRoomItThrows() throws Exception {
        try (Compressor compressor = compressor(provider(), defaultLevel())) {
            refused(
                    "compress(): a packet of noise does not fit into half its size",
                    () ->
                            compressor.compress(
                                    pages(Pages.NOISE),
                                    ByteBuffer.allocateDirect(packet() / 2),
                                    true),
                    Exception.class);
        }
    }
}
