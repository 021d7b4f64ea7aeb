package org.vmferry.it.ownership;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.TreeMap;

/**
 * A process with one side of a migration. It says what its guest does, a line each: "runs" before
 * it starts, "stands" when it has stopped, both with the time of the clock that all processes of a
 * machine share. A line is one write to a pipe: it outlives the process, however that ends.
 */
public final class Party {
    private static final FileOutputStream OUT = new FileOutputStream(FileDescriptor.out);

    private Party() {}

    static ReferenceMachine machine() {
        return ReferenceMachine.builder()
                .ram(4 << 20)
                .dirtyWindow(900)
                .dirtyEvery(2000)
                .printEvery(100_000)
                .build();
    }

    static Settings settings(boolean multifd) {
        Settings settings =
                Settings.NONE
                        .capability("return-path")
                        .capability("auto-converge")
                        .parameter("max-bandwidth", "16777216")
                        .parameter("downtime-limit", "200");
        if (!multifd) return settings;
        return settings.capability("multifd").parameter("multifd-compression", "zstd");
    }

    /**
     * The process.
     *
     * @param arguments "source" or "destination", and whether with multifd
     */
    public static void main(String[] arguments) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
        Settings settings = settings(Boolean.parseBoolean(arguments[1]));
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (ReferenceMachine machine = machine()) {
            Machine watched = new Watched(machine);
            Migration migration;
            if (arguments[0].equals("source")) {
                watched.enter(RunState.RUNNING);
                String address = in.readLine();
                if (address == null) return;
                migration = Engine.create().send(watched, address, settings);
            } else {
                migration = Engine.create().receive(watched, "tcp:127.0.0.1:0", settings);
                say("address " + migration.address());
            }
            migration.listen(
                    state -> {
                        if (state == MigrationState.ACTIVE) say("active " + System.nanoTime());
                    });
            String why = "";
            try {
                migration.await();
            } catch (MigrationException e) {
                why = " " + e.getMessage();
            }
            say("over " + migration.state().wireName() + " " + migration.owner() + why);
            if (in.readLine() == null) return;
            say("state " + machine.runState().wireName());
            machine.enter(RunState.PAUSED);
            say(
                    "digest %d %s"
                            .formatted(
                                    machine.instructions(),
                                    new TreeMap<>(machine.digest().parts())));
            in.readLine();
        }
    }

    private static void say(String line) {
        try {
            OUT.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Says what the guest does. */
    private static final class Watched extends ForwardingMachine {
        Watched(ReferenceMachine machine) {
            super(machine);
        }

        @Override
        public void enter(RunState state) throws MigrationException {
            if (state == RunState.RUNNING) say("runs " + System.nanoTime());
            super.enter(state);
            if (state != RunState.RUNNING) say("stands " + System.nanoTime());
        }
    }
}
