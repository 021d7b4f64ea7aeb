package org.vmferry.multifd;

import org.vmferry.spi.MigrationException;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which numbers the packets had that came since the last sync (rule MFD-12). One writer at a time.
 */
final class PacketNumbers {
    private static final Pattern FAMILY =
            Pattern.compile(
                    "(?:pc-i440fx|pc-q35|pc|virt|pseries|s390-ccw-virtio)-(?:(\\d{1,4})\\.\\d++)?.*+");
    // QEMU's major versions
    private static final int FIRST_GAPLESS = 9;
    private static final int FIRST_TO_END_CLEANLY = 10;

    private long count;
    private long sum; // modulo 2^64
    private long least = -1; // unsigned, as all numbers are
    private long most;

    /**
     * Whether the source numbers all its packets without a gap, over all channels: a QEMU from 9.0
     * on, or none at all. Its age is told by the machine's name only.
     *
     * @param machine as the stream has it; empty if it has none
     * @return false also if it can't be told
     */
    static boolean gapless(String machine) {
        return isFrom(machine, FIRST_GAPLESS);
    }

    /**
     * Whether the source ends its TLS channels in order: a QEMU from 10.0 on, or none at all.
     *
     * @param machine as above
     * @return false also if it can't be told
     */
    static boolean endsCleanly(String machine) {
        return isFrom(machine, FIRST_TO_END_CLEANLY);
    }

    private static boolean isFrom(String machine, int first) {
        Matcher family = FAMILY.matcher(machine);
        if (family.matches()) {
            String version = family.group(1);
            return version != null && Integer.parseInt(version) >= first;
        }
        return !machine.isEmpty() && !isUnversioned(machine);
    }

    private static boolean isUnversioned(String machine) {
        try (BufferedReader names =
                new BufferedReader(
                        new InputStreamReader(
                                PacketNumbers.class.getResourceAsStream("qemu-machines.txt"),
                                StandardCharsets.UTF_8))) {
            return names.lines().anyMatch(machine::equals);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void add(long number) {
        count++;
        sum += number;
        least = least(least, number);
        most = most(most, number);
    }

    private static long least(long one, long other) {
        return Long.compareUnsigned(one, other) < 0 ? one : other;
    }

    private static long most(long one, long other) {
        return Long.compareUnsigned(one, other) < 0 ? other : one;
    }

    /** Takes another's, which has none then. */
    void take(PacketNumbers other) {
        count += other.count;
        sum += other.sum;
        least = least(least, other.least);
        most = most(most, other.most);
        other.clear();
    }

    private void clear() {
        count = 0;
        sum = 0;
        least = -1;
        most = 0;
    }

    /**
     * Everything up to a sync has come.
     *
     * @param next the first number since the last sync
     * @return the first number after this one; there are none now
     * @throws MigrationException if one is missing, or came twice
     */
    long sync(long next) throws MigrationException {
        long last = next + count - 1;
        // Between these bounds any number twice, in place of another, changes the sum.
        boolean all =
                least == next && most == last && sum - count * next == count * (count - 1) / 2;
        if (!all) {
            throw MigrationException.peer(
                    "multifd: of the packets from number %s on, %d came by this sync, numbered %s"
                            + " to %s: some went on a channel that is not here (multifd-channels"
                            + " must be the same at both ends)",
                    Long.toUnsignedString(next),
                    count,
                    Long.toUnsignedString(least),
                    Long.toUnsignedString(most));
        }
        clear();
        return last + 1;
    }
}
