package org.vmferry.it.live;

import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.FullMachine;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.RunState;

import java.nio.file.Path;

/**
 * A process in which somebody begins to record when a guest is paused that it sends and receives.
 * It says what was recorded: events and whose they are.
 */
final class LateRecorder {
    private LateRecorder() {}

    /** Into a file that is to be made. */
    public static void main(String[] words) throws Exception {
        Path file = Path.of(words[0]);
        Engine engine = Engine.create();
        Migration load =
                engine.receive(
                        new FullMachine(1 << 20, RunState.INMIGRATE),
                        "tcp:127.0.0.1:0",
                        settings());
        Recorded guest = new Recorded(new FullMachine(1 << 20, RunState.RUNNING));
        engine.send(guest, load.address().toString(), settings()).await();
        load.await();
        try (Recording recording = guest.recording) {
            recording.stop();
            recording.dump(file);
        }
        for (RecordedEvent event : RecordingFile.readAllEvents(file))
            System.out.println(event.getEventType().getName() + " " + event.getString("migration"));
    }

    private static final class Recorded extends ForwardingMachine {
        private Recording recording;

        Recorded(FullMachine machine) {
            super(machine);
        }

        @Override
        public void enter(RunState next) throws MigrationException {
            if (next == RunState.FINISH_MIGRATE) {
                if (FlightRecorder.isInitialized())
                    throw new AssertionError("there is a recorder already");
                recording = new Recording();
                for (String event : new String[] {"Migration", "Round", "Channel"})
                    recording.enable("vmferry." + event);
                recording.start();
            }
            super.enter(next);
        }
    }

    private static Settings settings() {
        return Settings.NONE.capability("multifd").parameter("multifd-channels", "1");
    }
}
