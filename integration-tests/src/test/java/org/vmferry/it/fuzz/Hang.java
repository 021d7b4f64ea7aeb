package org.vmferry.it.fuzz;

import java.util.Map;

/** Where the threads of a migration that does not end stand. */
final class Hang {
    private Hang() {}

    static String describe(String migration) {
        StringBuilder all = new StringBuilder(migration);
        for (Map.Entry<Thread, StackTraceElement[]> one : Thread.getAllStackTraces().entrySet()) {
            if (!one.getKey().getName().startsWith(migration)) continue;
            all.append("\n  ").append(one.getKey().getName());
            for (StackTraceElement frame : one.getValue()) all.append("\n    ").append(frame);
        }
        return all.toString();
    }
}
