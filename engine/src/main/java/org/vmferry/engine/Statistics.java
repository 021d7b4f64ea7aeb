package org.vmferry.engine;

import org.vmferry.engine.report.DowntimePart;
import org.vmferry.spi.Handed;
import org.vmferry.spi.Status;

import java.util.Map;
import java.util.Objects;

/**
 * What a migration has done so far, or did.
 *
 * @param total bytes of guest RAM
 * @param transferred bytes that went over all channels, or into the file
 * @param channelBytes bytes of these that went over channels other than the main one
 *     (multifd-bytes), or straight to their place in the file
 * @param precopyBytes bytes of these that went while the guest ran (precopy-bytes); at a
 *     destination all
 * @param downtimeBytes bytes of these that a source sent while its guest was paused
 *     (downtime-bytes)
 * @param remaining bytes of RAM still to be sent in this round
 * @param pageSize bytes; 0 before it is known
 * @param normal pages that were moved with their content
 * @param duplicate pages that were zero
 * @param dirtySyncCount rounds over the dirty pages that were begun; the last after the guest was
 *     paused
 * @param dirtyPagesRate pages a second that the guest dirtied in the last round
 * @param setupTime ms until the first page
 * @param totalTime ms since the beginning, or that it took
 * @param downtime ms for which the source's guest was paused; 0 while it was not. With a return
 *     path it ends when the destination says that the guest runs there; without one when everything
 *     was sent: how its connections end takes no part in it
 * @param downtimeParts ms that the parts of it took that are over and that this side knows of; at a
 *     source whose guest did not run none
 * @param expectedDowntime ms that the rest was reckoned to take when it was last looked at: at a
 *     round's end, or when the destination had taken it
 * @param cpuThrottle percent by which the guest is slowed down (auto-converge)
 * @param turnedAway connections that came to a destination and have nothing to do with the
 *     migration
 * @param directIo whether pages are written around the page cache, as direct-io says or as was
 *     found out where it was not set; false before the first page, and of all that is no save to
 *     places in a file
 */
@Handed
@Status(Status.Level.STABLE)
public record Statistics(
        long total,
        long transferred,
        long channelBytes,
        long precopyBytes,
        long downtimeBytes,
        long remaining,
        int pageSize,
        long normal,
        long duplicate,
        long dirtySyncCount,
        long dirtyPagesRate,
        long setupTime,
        long totalTime,
        long downtime,
        Map<DowntimePart, Long> downtimeParts,
        long expectedDowntime,
        int cpuThrottle,
        long turnedAway,
        boolean directIo) {
    /** Refuses null. */
    public Statistics {
        Objects.requireNonNull(downtimeParts, "downtimeParts");
    }

    /**
     * The throughput.
     *
     * @return megabits a second, over the whole time
     */
    public double mbps() {
        return totalTime == 0 ? 0 : transferred * 8 / 1000.0 / totalTime;
    }

    /**
     * How fast pages were moved.
     *
     * @return pages a second, over the whole time, zero pages among them
     */
    public long pagesPerSecond() {
        return totalTime == 0 ? 0 : (normal + duplicate) * 1000 / totalTime;
    }

    /**
     * The content that was moved.
     *
     * @return bytes
     */
    public long normalBytes() {
        return normal * pageSize;
    }
}
