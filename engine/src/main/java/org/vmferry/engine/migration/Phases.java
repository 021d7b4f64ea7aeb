package org.vmferry.engine.migration;

import org.vmferry.engine.report.DowntimePart;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Times the parts of a switch-over, one after the other. Written by one thread, read by any. */
final class Phases {
    private final Map<DowntimePart, Long> ms = new EnumMap<>(DowntimePart.class); // guarded by this
    private long since; // nanoTime; guarded by this, as below
    private boolean begun;

    /** The first begins, unless it has. */
    synchronized void begin() {
        if (begun) return;
        begun = true;
        since = System.nanoTime();
    }

    /** One is over, the next begins. */
    synchronized void over(DowntimePart part) {
        long now = System.nanoTime();
        ms.merge(part, TimeUnit.NANOSECONDS.toMillis(now - since), Long::sum);
        since = now;
    }

    /** Those that are over. */
    synchronized Map<DowntimePart, Long> ms() {
        Map<DowntimePart, Long> copy = new EnumMap<>(DowntimePart.class);
        copy.putAll(ms);
        return Collections.unmodifiableMap(copy);
    }
}
