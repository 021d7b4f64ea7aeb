package org.vmferry.cli.input;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.cli.Packer;
import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.IncomingFile;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.zip.CRC32;

/** Packed data as a file, whatever state they are in. */
@Timeout(120)
class UnpackedFileTest {
    @TempDir Path folder;
    private UnpackedFile opened; // one at a time: each has a window

    @AfterEach
    void close() {
        if (opened != null) opened.close();
        opened = null;
    }

    private UnpackedFile open(Path path, Packer packer) throws IOException {
        Packing by = Packing.valueOf(packer.name());
        IncomingFile in =
                new LocalFileTransport().incoming(Address.parse("file:" + path), Options.DEFAULTS);
        close();
        opened = new UnpackedFile(new Packed(path, false, Optional.empty(), 0, by), in);
        return opened;
    }

    private UnpackedFile open(Packer packer, byte[] packed) throws IOException {
        return open(Files.write(folder.resolve("vm"), packed), packer);
    }

    private static byte[] read(UnpackedFile file, long position, int length) throws IOException {
        ByteBuffer target = ByteBuffer.allocate(length);
        int count = file.read(target, position);
        assertThat(target.position()).isEqualTo(count);
        return Arrays.copyOf(target.array(), count);
    }

    /** Up to half of it is noise, which is stored; the rest can be packed. */
    private static byte[] sample(int length) {
        byte[] bytes = new byte[length];
        Random random = new Random(3);
        for (int i = 0; i < length; i++)
            bytes[i] = (byte) (i < Math.min(length / 2, 30_000) ? random.nextInt() : i / 7777);
        return bytes;
    }

    @ParameterizedTest
    @EnumSource
    @Tag("LIB-5")
    void anyPlaceCanBeReadAgainAndItsSizeIsKnownAtTheEnd(Packer packer) throws IOException {
        byte[] bytes = sample(WindowedFile.WINDOW + 1_000_000);
        UnpackedFile file = open(packer, packer.packInParts(bytes, 3));
        assertThat(file.size()).isEqualTo(Long.MAX_VALUE);
        assertThat(read(file, 5, 100)).isEqualTo(Arrays.copyOfRange(bytes, 5, 105));
        assertThat(read(file, bytes.length - 7, 100))
                .isEqualTo(Arrays.copyOfRange(bytes, bytes.length - 7, bytes.length));
        assertThat(file.size()).isEqualTo(bytes.length);
        assertThat(read(file, 0, bytes.length + 1)).isEqualTo(bytes); // has gone, comes again
        assertThat(read(file, bytes.length, 1)).isEmpty();
        assertThat(file.rest()).isEmpty();
    }

    /** Who goes to and fro makes no more work than that. */
    @Test
    @Tag("LIB-5")
    void toAndFroEnds() throws IOException {
        byte[] bytes = sample(WindowedFile.WINDOW + 1_000_000);
        UnpackedFile file = open(Packer.ZSTD, Packer.ZSTD.pack(bytes));
        assertThatThrownBy(
                        () -> {
                            for (int i = 0; i < 1000; i++) {
                                read(file, bytes.length - 1, 1);
                                read(file, i, 1);
                            }
                        })
                .hasMessageContaining("in no order: unpack it first: zstd -dc")
                .extracting("blame")
                .isEqualTo(Blame.USER);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("LIB-8")
    void whereItIsCutItSaysSo(Packer packer) throws IOException {
        byte[] bytes = sample(60_000);
        byte[] packed = packer.packInParts(bytes, 2);
        int first = packer.pack(Arrays.copyOf(bytes, bytes.length / 2)).length;
        for (int length = 4; length < packed.length; length += length < 80 ? 1 : 4999) {
            if (length >= first && length < first + 4) continue; // a whole member
            UnpackedFile file = open(packer, Arrays.copyOf(packed, length));
            String where = "cut short: it ends at byte " + length + " within its " + packer.id();
            assertThatThrownBy(
                            () -> {
                                for (long at = 0; ; ) at += all(file, bytes, at);
                            })
                    .as("cut at %d", length)
                    .hasMessageContaining(where)
                    .hasMessageContaining("copy it anew");
            assertThatThrownBy(() -> read(file, bytes.length - 1, 1)).hasMessageContaining(where);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("LIB-8")
    void whatStandsBeforeTheCutComesFirst(Packer packer) throws IOException {
        byte[] bytes = sample(60_000);
        byte[] packed = packer.packInParts(bytes, 2);
        int first = packer.pack(Arrays.copyOf(bytes, bytes.length / 2)).length;
        UnpackedFile file = open(packer, Arrays.copyOf(packed, (first + packed.length) / 2));
        assertThat(all(file, bytes, 0)).isGreaterThanOrEqualTo(bytes.length / 2);
    }

    /** Libraries throw what they like at what they did not think of. */
    @Test
    @Tag("LIB-8")
    void whateverIsThrownHasATypeAndASentence() throws IOException {
        var what = new Packed(Path.of("vm"), false, Optional.empty(), 0, Packing.XZ);
        RuntimeException odd = new IllegalStateException("odd");
        assertThatThrownBy(() -> read(new UnpackedFile(what, new Thrower(odd, null)), 0, 1))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("vm is damaged: its xz data")
                .hasMessageContaining("IllegalStateException")
                .hasRootCause(odd);
        Error deep = new StackOverflowError();
        assertThatThrownBy(() -> read(new UnpackedFile(what, new Thrower(null, deep)), 0, 1))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("StackOverflowError");
    }

    /** Stands for a library within its data. */
    private static final class Thrower extends WindowedFile {
        private final RuntimeException one;
        private final Error other;

        Thrower(RuntimeException one, Error other) {
            super("vm");
            this.one = one;
            this.other = other;
        }

        @Override
        protected int more(ByteBuffer target) {
            if (one != null) throw one;
            throw other;
        }

        @Override
        protected void again(long position, long come) {}

        @Override
        public void release() {}

        @Override
        public void close() {}
    }

    /** What comes before it fails is what was packed. */
    private static int all(UnpackedFile file, byte[] bytes, long at) throws IOException {
        byte[] came = read(file, at, bytes.length);
        assertThat(came.length).isPositive();
        assertThat(came).isEqualTo(Arrays.copyOfRange(bytes, (int) at, (int) at + came.length));
        return came.length;
    }

    /** All have checksums: it is the same, or an error with a sentence. */
    @ParameterizedTest
    @EnumSource
    @Tag("LIB-8")
    void damageHasASentence(Packer packer) throws IOException {
        byte[] bytes = sample(60_000);
        byte[] packed = packer.packInParts(bytes, 2);
        Random random = new Random(4);
        int harmless = 0;
        for (int i = 0; i < 100; i++) {
            byte[] hurt = packed.clone();
            int at = i < 40 ? i : random.nextInt(packed.length);
            hurt[at] ^= (byte) (1 << random.nextInt(8));
            UnpackedFile file = open(packer, hurt);
            try {
                byte[] came = new byte[0];
                for (int step = -1; step != 0; ) {
                    byte[] more = read(file, came.length, 100_000);
                    step = more.length;
                    came = Arrays.copyOf(came, came.length + step);
                    System.arraycopy(more, 0, came, came.length - step, step);
                }
                if (file.rest().isPresent()) continue; // a magic was hurt
                assertThat(came).as("bit of byte %d", at).isEqualTo(bytes);
                harmless++;
            } catch (MigrationException e) {
                assertThat(e)
                        .hasMessageContaining(packer.id() + " data")
                        .hasMessageContaining("vm");
            }
        }
        assertThat(harmless).isLessThan(20); // such as a time in a header
    }

    @ParameterizedTest
    @EnumSource
    @Tag("LIB-8")
    void noiseEnds(Packer packer) throws IOException {
        Random random = new Random(5);
        byte[] whole = packer.pack(sample(1000));
        for (int i = 0; i < 100; i++) {
            byte[] noise = new byte[random.nextInt(5000)];
            random.nextBytes(noise);
            int kept = 4 + random.nextInt(60); // of a header
            byte[] packed = Arrays.copyOf(whole, kept + noise.length);
            System.arraycopy(noise, 0, packed, kept, noise.length);
            UnpackedFile file = open(packer, packed);
            assertThatThrownBy(() -> read(file, 1L << 40, 1))
                    .as("noise %d", i)
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining(packer.id());
        }
    }

    /** What is kept of it is the window, however much it is. */
    @ParameterizedTest
    @EnumSource
    @Tag("LIB-8")
    void aBombTakesNoMemoryAndEnds(Packer packer) throws IOException {
        Path bomb = folder.resolve("bomb");
        byte[] zeros = new byte[1 << 20];
        int count = packer == Packer.BZIP2 ? 20 : 100;
        try (OutputStream out = packer.over(Files.newOutputStream(bomb))) {
            for (int i = 0; i < count; i++) out.write(zeros);
        }
        UnpackedFile file = open(bomb, packer);
        assertThat(read(file, ((long) count << 20) - 1, 2)).hasSize(1);
        assertThat(read(file, Long.MAX_VALUE - 10, 2)).isEmpty();
    }

    @Test
    @Tag("LIB-8")
    void moreMemoryThanTheProgramsOwnLevelsTakeIsRefused() throws IOException {
        byte[] zstd = {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd, 0, (byte) 0xa8, 1, 0, 0};
        refusesTheWindow(Packer.ZSTD, zstd);
        byte[] xz = Packer.XZ.pack(sample(1000));
        // The first block's header: its size, flags, filter 0x21, 1 byte of properties.
        int header = 12;
        assertThat(xz[header + 2]).isEqualTo((byte) 0x21);
        for (byte window : new byte[] {30, 40}) { // 128 MiB, 4 GiB - 1
            xz[header + 4] = window;
            int length = (xz[header] + 1) * 4 - 4;
            CRC32 sum = new CRC32();
            sum.update(xz, header, length);
            ByteBuffer.wrap(xz)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(header + length, (int) sum.getValue());
            refusesTheWindow(Packer.XZ, xz);
        }
    }

    private void refusesTheWindow(Packer packer, byte[] packed) throws IOException {
        UnpackedFile file = open(packer, packed);
        assertThatThrownBy(() -> read(file, 0, 1))
                .hasMessageContaining(
                        "with options that are not taken here, such as a large window")
                .hasMessageContaining("unpack it first: " + packer.id() + " -dc")
                .extracting("blame")
                .isEqualTo(Blame.USER);
    }

    @Test
    void whoPassesOverALotIsLetGo() throws Exception {
        UnpackedFile file = open(Packer.XZ, Packer.XZ.pack(sample(1_000_000)));
        read(file, 0, 1);
        file.release();
        assertThatThrownBy(() -> read(file, 900_000, 1)).hasMessageContaining("given up");
        file.close();
        assertThatThrownBy(() -> read(file, 900_000, 1)).hasMessageContaining("given up");
    }
}
