package org.vmferry.spi.ram;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.BitSet;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;

/** Bitmaps that are whole from the beginning, and larger ones that are made of pieces. */
class PageBitmapTest {
    private static final int FLAT = 1 << 24; // pages
    private static final int PIECE = 1 << 15; // pages

    /** Some words, and a last piece that is not full. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 64, 40_000, FLAT, FLAT + 1, FLAT + PIECE + 40_000})
    void doesWhatASetOfBitsDoes(int pages) {
        doesWhatASetOfBitsDoes(pages, new PageBitmap(pages), PageBitmap.sparse(pages));
        doesWhatASetOfBitsDoes(pages, PageBitmap.sparse(pages), new PageBitmap(pages));
    }

    @Test
    void aSparseOneTakesMemoryWhereBitsAreSet() {
        PageBitmap bitmap = PageBitmap.sparse(FLAT);
        assertThat(bitmap.allocated()).isZero();
        bitmap.set(FLAT - 1);
        assertThat(bitmap.allocated()).isEqualTo(PIECE / 8);
    }

    private static void doesWhatASetOfBitsDoes(int pages, PageBitmap bitmap, PageBitmap other) {
        BitSet model = new BitSet();
        BitSet moved = new BitSet();
        SplittableRandom random = new SplittableRandom(pages);
        assertSame(bitmap, model);
        for (int i = 0; i < 60 && pages > 0; i++) {
            int page = at(random, pages);
            int count = Math.min(pages - page, random.nextInt(3 * PIECE));
            switch (random.nextInt(7)) {
                case 0 -> {
                    assertThat(bitmap.set(page)).isEqualTo(!model.get(page));
                    model.set(page);
                }
                case 1 -> {
                    assertThat(bitmap.clear(page)).isEqualTo(model.get(page));
                    model.clear(page);
                }
                case 2 -> {
                    boolean value = random.nextBoolean();
                    bitmap.fill(page, count, value);
                    model.set(page, page + count, value);
                }
                case 3 -> {
                    bitmap.word(page >>> 6, 0x8000_0000_0000_0001L);
                    int from = page & -64;
                    model.clear(from, from + 64);
                    model.set(from);
                    if (from + 63 < pages) model.set(from + 63);
                }
                case 4 -> {
                    bitmap.moveTo(other);
                    moved.or(model);
                    model.clear();
                    assertSame(other, moved);
                }
                case 5 -> {
                    bitmap.addTo(other);
                    moved.or(model);
                    assertSame(other, moved);
                }
                default -> bitmap.fill(page, 1, true);
            }
            if (bitmap.get(page)) model.set(page);
            int set = model.nextSetBit(page);
            assertThat(bitmap.isClear(page, count)).isEqualTo(set < 0 || set >= page + count);
            assertSame(bitmap, model);
        }
    }

    /** Often where pieces meet, and at the ends. */
    private static int at(SplittableRandom random, int pages) {
        int page = random.nextInt(pages);
        if (random.nextBoolean()) page = page / PIECE * PIECE + random.nextInt(-65, 65);
        if (random.nextInt(8) == 0) page = pages - 1 - random.nextInt(70);
        return Math.clamp(page, 0, pages - 1);
    }

    private static void assertSame(PageBitmap bitmap, BitSet model) {
        assertThat(bitmap.cardinality()).isEqualTo(model.cardinality());
        long page = 0;
        for (int i = 0; i < 50; i++) {
            int set = model.nextSetBit((int) page);
            long next = bitmap.nextSet(page);
            assertThat(next).isEqualTo(set < 0 ? bitmap.pages() : set);
            if (next == bitmap.pages()) return;
            page = bitmap.nextClear(next);
            long clear = Math.min(model.nextClearBit((int) next), bitmap.pages());
            assertThat(page).isEqualTo(clear);
            if (page == bitmap.pages()) return;
        }
    }

    /** Whoever comes first to a piece makes it, and no bit of the others is lost. */
    @Test
    void noBitIsLostWhereAPieceBegins() throws Exception {
        int pieces = 2000;
        PageBitmap bitmap = new PageBitmap(FLAT + (long) pieces * PIECE);
        AtomicInteger here = new AtomicInteger();
        FutureTask<Void> even = setter(bitmap, here, pieces, 0);
        FutureTask<Void> odd = setter(bitmap, here, pieces, 1);
        Thread.ofPlatform().daemon().start(even);
        odd.run();
        even.get();
        odd.get();
        assertThat(bitmap.cardinality()).isEqualTo(2L * pieces);
        assertThat(bitmap.allocated()).isEqualTo(pieces * PIECE / 8L);
    }

    private static FutureTask<Void> setter(
            PageBitmap bitmap, AtomicInteger here, int pieces, int bit) {
        return new FutureTask<>(
                () -> {
                    for (long piece = 0; piece < pieces; piece++) {
                        here.incrementAndGet();
                        while (here.get() < 2 * (piece + 1)) Thread.onSpinWait();
                        bitmap.set(piece * PIECE + bit);
                    }
                    return null;
                });
    }
}
