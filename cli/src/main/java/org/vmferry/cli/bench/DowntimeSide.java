package org.vmferry.cli.bench;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.Statistics;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.RunState;

import java.nio.file.Path;
import java.util.List;

/**
 * One side of one migration, in a JVM that has done nothing before: internal to {@code vmferry
 * bench downtime}. A destination says where it listens, and then for how many µs its guest had
 * stood still; a source what it tells itself.
 */
public final class DowntimeSide {
    private DowntimeSide() {}

    /**
     * The process.
     *
     * @param words "send" and an address or "receive" and where to listen, the file that is RAM,
     *     its size, the window's first byte and its end, pages/s, and options: name or name=value
     * @throws Exception whatever goes wrong
     */
    public static void main(String[] words) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
        Settings settings = Side.settings(List.of(words).subList(7, words.length));
        Engine engine = Engine.create();
        var pace = LiveBench.Pace.of(Long.parseLong(words[6]));
        try (var ram = new BenchMachine(Path.of(words[2]), Long.parseLong(words[3]));
                var machine =
                        new DirtyingMachine(
                                ram.memory(),
                                pace,
                                Long.parseLong(words[4]),
                                Long.parseLong(words[5]))) {
            if (words[0].equals("receive")) {
                Migration load = engine.receive(machine, words[1], settings);
                System.out.println(load.address());
                load.await();
                System.out.println(machine.gap() / 1000);
            } else {
                engine.warmUp(settings);
                machine.enter(RunState.RUNNING);
                Migration save = engine.send(machine, words[1], settings);
                save.await();
                Statistics done = save.statistics();
                System.out.println(
                        done.downtime()
                                + " "
                                + done.expectedDowntime()
                                + " "
                                + done.dirtySyncCount()
                                + " "
                                + done.totalTime());
            }
        }
        System.exit(0);
    }
}
