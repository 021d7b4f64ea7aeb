package org.vmferry.cli.map;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.Arrays;

class BlockMapTest {
    private static byte[] page(int content) {
        byte[] page = new byte[4096];
        Arrays.fill(page, (byte) content);
        return page;
    }

    @Test
    void cellsAreAPowerOfTwoOfPages() {
        assertThat(new BlockMap(64, 64).pagesInCell()).isEqualTo(1);
        assertThat(new BlockMap(65, 64).pagesInCell()).isEqualTo(2);
        assertThat(new BlockMap(65, 64).cells()).isEqualTo(33);
        assertThat(new BlockMap(1L << 24, 4096).cells()).isEqualTo(4096);
        assertThat(new BlockMap(0, 1).cells()).isZero();
        assertThat(new BlockMap(1L << 36, 1).cells()).isOne();
    }

    @Test
    void aCellIsWhatMostOfItsPagesAreThatAreNotZero() {
        BlockMap map = new BlockMap(30, 4);
        assertThat(map.pagesInCell()).isEqualTo(8);
        map.add(9, PageKind.TEXT, page(1), 0);
        map.add(10, PageKind.CODE, page(2), 0);
        map.add(11, PageKind.CODE, page(3), 0);
        map.add(29, PageKind.RANDOM, page(4), 0);
        assertThat(map.kind(0)).isEqualTo(PageKind.ZERO);
        assertThat(map.kind(1)).isEqualTo(PageKind.CODE);
        assertThat(map.count(1, PageKind.CODE)).isEqualTo(2);
        assertThat(map.count(1, PageKind.ZERO)).isEqualTo(5);
        assertThat(map.page(1)).isEqualTo(10);
        assertThat(map.head(1)).hasSize(BlockMap.HEAD).containsOnly(2);
        assertThat(map.kind(3)).isEqualTo(PageKind.RANDOM);
        assertThat(map.count(3, PageKind.ZERO)).as("the last has 6 pages").isEqualTo(5);
        assertThat(map.count(PageKind.ZERO)).isEqualTo(26);
        assertThat(map.count(PageKind.CODE)).isEqualTo(2);
    }
}
