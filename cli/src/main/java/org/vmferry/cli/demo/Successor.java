package org.vmferry.cli.demo;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.Statistics;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.MachineDigest;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A process that takes the guest over: internal to {@code vmferry demo}. It is told one thing a
 * line, and answers with one line of JSON. Ends with its input, so with the process that started
 * it.
 */
public final class Successor {
    static final Settings LIVE =
            Settings.NONE
                    .capability("multifd")
                    .parameter("multifd-compression", "zstd")
                    .capability("return-path")
                    .capability("auto-converge")
                    .parameter("max-bandwidth", "0")
                    .parameter("downtime-limit", "50");
    static final Settings SNAPSHOT = Settings.NONE.capability("mapped-ram");

    private final Engine engine = Engine.create();
    private final ReferenceMachine machine;
    private Migration arriving;

    private Successor(ReferenceMachine machine) {
        this.machine = machine;
    }

    /**
     * The process.
     *
     * @param arguments how many bytes of RAM the machine has, and "adopting" if it is to take a
     *     snapshot's pages for it
     * @throws Exception whatever goes wrong
     */
    public static void main(String[] arguments) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
        var builder = DemoGuest.machine(Long.parseLong(arguments[0]));
        if (arguments[1].equals("adopting")) builder.adopting();
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (ReferenceMachine machine = builder.build()) {
            var successor = new Successor(machine);
            for (String line; (line = in.readLine()) != null; )
                System.out.println(Json.write(successor.answer(line.split(" ", 2))));
        }
    }

    private Map<String, Object> answer(String[] order) throws InterruptedException {
        try {
            return switch (order[0]) {
                case "receive" -> receive(order[1]);
                case "arrived" -> arrived();
                case "run" -> run(Long.parseLong(order[1]));
                case "save" -> save(Path.of(order[1]));
                case "stop" -> stop();
                default -> throw new IllegalArgumentException(order[0]);
            };
        } catch (IOException e) {
            return Map.of("error", e.getMessage());
        }
    }

    private Map<String, Object> receive(String uri) throws IOException {
        arriving = engine.receive(machine, uri, uri.startsWith("file:") ? SNAPSHOT : LIVE);
        return Map.of("address", arriving.address().toString());
    }

    private Map<String, Object> arrived() throws IOException, InterruptedException {
        arriving.await();
        return Map.of("ms", arriving.statistics().totalTime());
    }

    private Map<String, Object> run(long more) throws IOException {
        DemoGuest.await(machine, machine.instructions() + more);
        return Map.of();
    }

    private Map<String, Object> save(Path file) throws IOException, InterruptedException {
        Migration migration = engine.send(machine, "file:" + file, SNAPSHOT);
        migration.await();
        Statistics statistics = migration.statistics();
        Map<String, Object> answer = state();
        answer.put("ms", statistics.totalTime());
        answer.put("downtimeMs", statistics.downtime());
        return answer;
    }

    private Map<String, Object> stop() {
        machine.enter(RunState.PAUSED);
        MachineDigest digest = machine.digest();
        Map<String, Object> answer = state();
        answer.put("digest", digest.parts());
        return answer;
    }

    private Map<String, Object> state() {
        Map<String, Object> state = new LinkedHashMap<>();
        state.put("instructions", machine.instructions());
        state.put("output", machine.output());
        return state;
    }

    /** What {@link #stop} answered, as it was. */
    static MachineDigest digest(Map<?, ?> answer) {
        Map<String, Integer> parts = new HashMap<>();
        ((Map<?, ?>) answer.get("digest"))
                .forEach((name, sum) -> parts.put((String) name, ((Long) sum).intValue()));
        return new MachineDigest((Long) answer.get("instructions"), parts);
    }
}
