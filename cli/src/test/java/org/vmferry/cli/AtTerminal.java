package org.vmferry.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;

/** The command, run in this process as a person would, and what it said last. */
abstract class AtTerminal {
    final StringWriter out = new StringWriter();
    final StringWriter err = new StringWriter();

    /** Runs it to its end: its exit status. */
    final int run(Object... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        return Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(Arrays.stream(arguments).map(Object::toString).toArray(String[]::new));
    }
}
