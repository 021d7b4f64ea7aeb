package org.vmferry.engine;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** What a host's log has, at the level that it has by default. */
final class Logged {
    private Logged() {}

    interface Steps {
        void run() throws Exception;
    }

    /** All that is logged meanwhile. */
    static String during(Steps steps) throws Exception {
        PrintStream before = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            steps.run();
        } finally {
            System.setErr(before);
        }
        return said.toString(StandardCharsets.UTF_8);
    }
}
