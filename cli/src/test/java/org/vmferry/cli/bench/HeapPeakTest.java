package org.vmferry.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HeapPeakTest {
    private static final int MIB = 1 << 20;

    @Test
    void tellsTheMostAlsoWhenItIsGone() {
        System.gc();
        HeapPeak small = HeapPeak.begin();
        long less = small.bytes();
        assertThat(less).isPositive();
        HeapPeak large = HeapPeak.begin();
        byte[] ballast = new byte[48 * MIB];
        assertThat(ballast[ballast.length / 2]).isZero();
        ballast = null;
        System.gc();
        assertThat(large.bytes()).isGreaterThan(less + 32 * MIB);
    }

    @Test
    void beginsAnew() {
        byte[] ballast = new byte[48 * MIB];
        assertThat(ballast[ballast.length / 2]).isZero();
        long with = HeapPeak.begin().bytes();
        ballast = null;
        System.gc();
        assertThat(HeapPeak.begin().bytes()).isLessThan(with - 32 * MIB);
    }
}
