package org.vmferry.cli.demo;

import org.vmferry.engine.Statistics;

import java.util.List;

/**
 * What came out.
 *
 * @param ramBytes of the guest's RAM
 * @param turns of the three processes
 * @param live from the first to the second
 * @param saved by the second
 * @param mappedMs time until the third ran the guest
 * @param proof that it is the same guest
 */
public record Result(
        long ramBytes, List<Turn> turns, Live live, Saved saved, long mappedMs, Proof proof) {
    /**
     * One process's turn. A number is counted where its line ends.
     *
     * @param pid the process
     * @param from the first number that the guest counted there
     * @param to the last
     */
    public record Turn(long pid, long from, long to) {
        /** What was counted after another turn, when all of this has left the serial port. */
        static Turn after(long counted, long pid, CharSequence output) {
            return new Turn(pid, counted + 1, output.chars().filter(c -> c == '\n').count());
        }
    }

    /**
     * The live migration.
     *
     * @param ms from its beginning to its end
     * @param downtimeMs for which the guest stood still
     * @param rounds through RAM, the last one among them
     * @param ramBytes of pages that were moved, some of them in each round
     * @param wireBytes that went over the channels for it
     */
    public record Live(long ms, long downtimeMs, long rounds, long ramBytes, long wireBytes) {
        static Live of(Statistics s) {
            return new Live(
                    s.totalTime(),
                    s.downtime(),
                    s.dirtySyncCount(),
                    (s.normal() + s.duplicate()) * s.pageSize(),
                    s.transferred());
        }

        /**
         * The throughput.
         *
         * @return bytes of RAM a second
         */
        public double bytesPerSecond() {
            return ramBytes * 1000.0 / Math.max(1, ms);
        }
    }

    /**
     * The snapshot.
     *
     * @param ms from its beginning to its end
     * @param downtimeMs for which the guest stood still
     * @param bytes on disk
     */
    public record Saved(long ms, long downtimeMs, long bytes) {}
}
