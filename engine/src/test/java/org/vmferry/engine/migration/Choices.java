package org.vmferry.engine.migration;

import java.util.ArrayList;
import java.util.List;

/** Every way through a program that asks it what to do next: one run each. */
final class Choices {
    private final List<int[]> path = new ArrayList<>(); // {chosen, of how many}
    private int depth;

    /** One of so many. */
    int of(int count) {
        if (depth == path.size()) path.add(new int[] {0, count});
        return path.get(depth++)[0];
    }

    /** Whether the next choice was never made on this way. */
    boolean isNew() {
        return depth == path.size();
    }

    /** Goes back for the next way; false if there is none. */
    boolean next() {
        depth = 0;
        while (!path.isEmpty()) {
            int[] last = path.getLast();
            if (++last[0] < last[1]) return true;
            path.removeLast();
        }
        return false;
    }
}
