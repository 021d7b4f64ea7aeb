package org.vmferry.engine;

/**
 * What a migration has done so far, or did.
 *
 * @param total bytes of guest RAM
 * @param transferred bytes that went over all channels, or into the file
 * @param remaining bytes of RAM still to be sent in this round
 * @param normal pages that were moved with their content
 * @param duplicate pages that were zero
 * @param dirtySyncCount how often the dirty log was harvested
 * @param totalTime ms since the beginning, or that it took
 * @param downtime ms for which the source's guest was paused; 0 while it was not
 */
public record Statistics(
        long total,
        long transferred,
        long remaining,
        long normal,
        long duplicate,
        long dirtySyncCount,
        long totalTime,
        long downtime) {
    /**
     * The throughput.
     *
     * @return megabits a second, over the whole time
     */
    public double mbps() {
        return totalTime == 0 ? 0 : transferred * 8 / 1000.0 / totalTime;
    }
}
