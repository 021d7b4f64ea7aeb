package org.vmferry.it.support;

import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.nio.file.Path;

/** Snapshots of a small guest, for tests of what is done with them. */
public final class Snapshots {
    private static final long INSTRUCTIONS = 200_000;

    private Snapshots() {}

    /** Saves a guest that has run for a while: some pages are full, most are zero. */
    public static void save(Path file, String... capabilities) throws Exception {
        Settings settings = Settings.NONE;
        for (String name : capabilities) settings = settings.capability(name);
        try (var machine =
                ReferenceMachine.builder().ram(1 << 20).dirtyWindow(64).dirtyEvery(1000).build()) {
            machine.runFor(INSTRUCTIONS);
            Engine.create().send(machine, "file:" + file, settings).await();
        }
    }
}
