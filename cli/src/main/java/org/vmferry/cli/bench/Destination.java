package org.vmferry.cli.bench;

import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The destination's process: internal to {@code vmferry bench multifd}. Reads a line per migration
 * (bytes of RAM, codec, whether to touch it first, whether to sum it up, and the file that is RAM,
 * or nothing for memory of its own), answers where it listens, then that it is done, or the sum.
 * Ends with its input, so with the process that started it.
 */
public final class Destination {
    private Destination() {}

    /**
     * The process.
     *
     * @param arguments none
     * @throws Exception whatever goes wrong
     */
    public static void main(String[] arguments) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
        Engine engine = Engine.create();
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.split(" ", 5);
            Settings settings = MultifdBench.settings(words[1]);
            long size = Long.parseLong(words[0]);
            try (var machine =
                    words[4].isEmpty()
                            ? BenchMachine.anonymous(size)
                            : new BenchMachine(Path.of(words[4]), size)) {
                if (Boolean.parseBoolean(words[2])) machine.touch();
                var migration = engine.receive(machine, "tcp:127.0.0.1:0", settings);
                System.out.println(migration.address());
                migration.await();
                boolean sum = Boolean.parseBoolean(words[3]);
                System.out.println(sum ? machine.checksum() : "done");
            }
        }
    }
}
