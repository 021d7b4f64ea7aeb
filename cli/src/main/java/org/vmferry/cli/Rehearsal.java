package org.vmferry.cli;

import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.nio.file.Path;

/**
 * What the launcher has a JVM do once, so that it can note which classes the command takes, and how
 * (JEP 514): the commands that are over soon, on a small snapshot. How long it takes to start is
 * most of how long these take.
 */
public final class Rehearsal {
    private static final int RAM = 8 << 20;

    private Rehearsal() {}

    /**
     * Runs them.
     *
     * @param arguments an empty folder
     * @throws Exception if one of them fails: what was noted is of no use
     */
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        Path placed = folder.resolve("placed");
        Path stream = folder.resolve("stream");
        Path raw = folder.resolve("raw");
        ReferenceMachine guest = ReferenceMachine.builder().ram(RAM).build();
        String block = guest.ram().blocks().getLast().id();
        String device = guest.devices().getLast().id();
        Engine.create()
                .send(guest, "file:" + placed, Settings.NONE.capability("mapped-ram"))
                .await();
        for (int i = 0; i < 2; i++) {
            run("inspect", placed);
            run("verify", placed);
        }
        run("convert", placed, stream, "--format", "stream");
        run("inspect", stream);
        run("inspect", stream, "--json");
        run("inspect", stream, "--device", device);
        run("inspect", stream, "--html", folder.resolve("page"));
        run("verify", stream);
        run("convert", stream, placed, "--format", "mapped-ram");
        run("extract", placed, "--block", block, "-o", raw);
        run("plugins");
        run();
        run("--help");
        run("--version");
    }

    private static void run(Object... line) {
        String[] words = new String[line.length];
        for (int i = 0; i < line.length; i++) words[i] = line[i].toString();
        int status = Main.commandLine(words).execute(words);
        if (status != 0)
            throw new IllegalStateException(String.join(" ", words) + " ended with " + status);
    }
}
