package org.vmferry.cli.map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;

class PageLookTest {
    private static final int PAGE = 4096;
    private static final Path ROOT = Path.of(System.getProperty("vmferry.root", ".."));

    private final PageLook look = new PageLook();

    private PageKind of(byte[] page) {
        return look.of(page, 0, page.length);
    }

    /** What most pages of these bytes look like. */
    private PageKind most(byte[] bytes) {
        Map<PageKind, Integer> counts = new EnumMap<>(PageKind.class);
        int pages = bytes.length / PAGE;
        for (int i = 0; i < pages; i++)
            counts.merge(look.of(bytes, i * PAGE, PAGE), 1, Integer::sum);
        var top = counts.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow();
        assertThat(top.getValue()).as(counts.toString()).isGreaterThan(pages * 3 / 4);
        return top.getKey();
    }

    @Test
    void zeroIsZeroAlone() {
        byte[] page = new byte[PAGE];
        assertThat(of(page)).isEqualTo(PageKind.ZERO);
        page[PAGE - 1] = 1;
        assertThat(of(page)).isEqualTo(PageKind.DATA);
    }

    @Test
    void oneValueIsNeitherTextNorPointers() {
        byte[] page = new byte[PAGE];
        Arrays.fill(page, (byte) 'A');
        assertThat(of(page)).isEqualTo(PageKind.SAME);
        ByteBuffer words = ByteBuffer.allocate(PAGE);
        while (words.hasRemaining()) words.putLong(0xffff_8881_0000_0000L);
        assertThat(of(words.array())).isEqualTo(PageKind.SAME);
        page[0] = 'B';
        assertThat(of(page)).isEqualTo(PageKind.TEXT);
    }

    @Test
    void aPageOfAnotherSizeIsToldToo() {
        for (int size : new int[] {256, 1024, PAGE, 65536}) {
            byte[] page = new byte[size];
            assertThat(of(page)).isEqualTo(PageKind.ZERO);
            new Random(size).nextBytes(page);
            assertThat(of(page)).as("%d random bytes", size).isEqualTo(PageKind.RANDOM);
            for (int i = 0; i < size; i++) page[i] &= 0x1f;
            assertThat(of(page)).as("%d bytes of 5 bits", size).isNotEqualTo(PageKind.RANDOM);
        }
    }

    /** As a page of the kernel's memory, or of a program's heap: numbers between them. */
    @Test
    void addressesArePointersInEitherByteOrder() {
        Random random = new Random(1);
        for (ByteOrder order : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
            for (long base : new long[] {0xffff_8880_0000_0000L, 0x7f12_0000_0000L}) {
                ByteBuffer words = ByteBuffer.allocate(PAGE).order(order);
                while (words.hasRemaining())
                    words.putLong(base + random.nextInt(1 << 30)).putLong(random.nextInt(500));
                assertThat(of(words.array())).isEqualTo(PageKind.POINTERS);
            }
        }
        ByteBuffer small = ByteBuffer.allocate(PAGE);
        while (small.hasRemaining()) small.putLong(random.nextInt(1000) - 500);
        assertThat(of(small.array())).as("numbers about zero").isEqualTo(PageKind.DATA);
    }

    @Test
    void textIsText() throws IOException {
        byte[] licence = Files.readAllBytes(ROOT.resolve("LICENSE"));
        assertThat(most(licence)).isEqualTo(PageKind.TEXT);
        byte[] wide =
                new String(licence, StandardCharsets.US_ASCII).getBytes(StandardCharsets.UTF_16LE);
        assertThat(most(wide)).isEqualTo(PageKind.TEXT);
    }

    @Test
    void whatIsPackedIsRandom() throws IOException {
        Path classes = Path.of(System.getProperty("java.home"), "lib/modules");
        assumeTrue(Files.exists(classes), "there is no " + classes);
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (var in = Files.newInputStream(classes);
                var out = new GZIPOutputStream(packed)) {
            out.write(in.readNBytes(8 << 20));
        }
        assertThat(most(packed.toByteArray())).isEqualTo(PageKind.RANDOM);
    }

    /** The JVM itself: its code is code, and what else it has is not. */
    @Test
    void aProgramsCodeIsCode() throws IOException {
        String machine = System.getProperty("os.arch");
        assumeTrue(machine.equals("amd64") || machine.equals("aarch64"), machine);
        Path library = Path.of(System.getProperty("java.home"), "lib/server/libjvm.so");
        assumeTrue(Files.exists(library), "there is no " + library);
        ByteBuffer elf =
                ByteBuffer.wrap(Files.readAllBytes(library)).order(ByteOrder.LITTLE_ENDIAN);
        int sections = (int) elf.getLong(0x28);
        byte[] code = {};
        byte[] constants = {};
        for (int i = 0; i < elf.getShort(0x3c); i++) {
            int at = sections + i * elf.getShort(0x3a);
            int size = (int) elf.getLong(at + 0x20);
            byte[] bytes = new byte[elf.getInt(at + 4) == 8 ? 0 : size]; // 8: has no bytes
            elf.get((int) elf.getLong(at + 0x18), bytes);
            boolean runs = (elf.getLong(at + 8) & 4) != 0;
            if (runs && bytes.length > code.length) code = bytes;
            if (!runs && elf.getInt(at + 4) == 1 && bytes.length > constants.length)
                constants = bytes;
        }
        assertThat(most(code)).isEqualTo(PageKind.CODE);
        int wrong = 0;
        for (int at = 0; at + PAGE <= constants.length; at += PAGE)
            if (look.of(constants, at, PAGE) == PageKind.CODE) wrong++;
        assertThat(wrong).isLessThan(constants.length / PAGE / 10);
    }

    /** As gcc makes it for a machine without instructions of 16 bits. */
    @Test
    void instructionsOfRiscVAreCode() {
        int[] some = {
            0xff010113, 0x00813023, 0x00113423, 0x00050413, 0x0005a503, 0x000000ef, 0x00813083
        };
        ByteBuffer page = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
        while (page.hasRemaining()) page.putInt(some[page.position() / 4 % some.length]);
        assertThat(of(page.array())).isEqualTo(PageKind.CODE);
    }
}
