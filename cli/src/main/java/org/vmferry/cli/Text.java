package org.vmferry.cli;

import org.vmferry.engine.report.Inspection;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Numbers and sentences as people read them. */
final class Text {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

    private Text() {}

    /** An amount of bytes: "4.0 MiB", or "4 MiB" where that is exact. */
    static String bytes(double bytes) {
        int unit = 0;
        while (bytes >= 1024 && unit < UNITS.length - 1) {
            bytes /= 1024;
            unit++;
        }
        boolean exact = bytes == Math.rint(bytes);
        return String.format(Locale.ROOT, exact ? "%.0f %s" : "%.1f %s", bytes, UNITS[unit]);
    }

    /** A time to wait: "12 s", "3:05 min", "1:02:30 h". */
    static String seconds(long seconds) {
        if (seconds < 60) return seconds + " s";
        if (seconds < 3600) return "%d:%02d min".formatted(seconds / 60, seconds % 60);
        return "%d:%02d:%02d h".formatted(seconds / 3600, seconds / 60 % 60, seconds % 60);
    }

    /** A count with what is counted: "1 page", "2 pages". */
    static String count(long count, String thing) {
        return count + " " + thing + (count == 1 ? "" : "s");
    }

    /**
     * A text in rows of so many columns, as far as its words let it.
     *
     * @param hanging what all rows but the first begin with
     */
    static List<String> rows(String text, int width, String hanging) {
        List<String> rows = new ArrayList<>();
        String rest = text;
        while (rest.length() > width) {
            int least = rest.length() - rest.stripLeading().length();
            int end = rest.lastIndexOf(' ', width);
            if (end <= least) end = rest.indexOf(' ', width);
            if (end < 0) break;
            rows.add(rest.substring(0, end));
            rest = hanging + rest.substring(end + 1);
        }
        rows.add(rest);
        return rows;
    }

    /** Where a guest sees a part of a block. */
    static String range(Inspection.Range range) {
        return "guest address 0x%x is its byte 0x%x, for 0x%x bytes"
                .formatted(range.address(), range.offset(), range.length());
    }

    /** Reads an amount of bytes as QEMU does: "4096", "4k", "2M", "1G". */
    static long parseBytes(String text) {
        int shift =
                switch (text.isEmpty() ? ' ' : text.charAt(text.length() - 1)) {
                    case 'k', 'K' -> 10;
                    case 'm', 'M' -> 20;
                    case 'g', 'G' -> 30;
                    case 't', 'T' -> 40;
                    default -> 0;
                };
        long number = Long.parseLong(shift == 0 ? text : text.substring(0, text.length() - 1));
        if (number < 0 || number > Long.MAX_VALUE >> shift) throw new NumberFormatException(text);
        return number << shift;
    }

    /** Why a block's RAM is not to be had. */
    static String why(Inspection.Content content) {
        return content == Inspection.Content.UNTOLD
                ? "nothing tells which of its pages are there"
                : "its source left it out as shared memory";
    }
}
