package org.vmferry.it.qmp;

import org.vmferry.engine.json.Json;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/**
 * A migration's script: lines of JSON, each for one of its ends, and one of
 *
 * <pre>
 * {"source": {"execute": ...}}    sends a command, and waits for the answer
 * {"source": "any text"}          sends that, and a line end, and waits for an answer
 * {"source": ["active"]}          waits for the event of that name, or MIGRATION of that status
 * {"source": {"until": "failed"}} asks query-migrate until that is its status
 * {"source": {"is": "postmigrate"}} asks query-status until that is its status
 * {"source": {"unlisted": "migration"}} asks query-yank until it lists no such type
 * {"negotiate": false}            first line: qmp_capabilities is the script's own affair
 * </pre>
 *
 * In all texts ${name} is replaced; ${port} is that of the destination's last query-migrate.
 */
final class QmpScript {
    /** What commands cause before they answer; else an event may come before or after. */
    private static final Set<String> CAUSING =
            Set.of("migrate", "migrate-incoming", "migrate_cancel", "stop", "cont");

    private final List<String> lines;

    QmpScript(String name) throws IOException {
        try (InputStream in = QmpScript.class.getResourceAsStream("/qmp/" + name + ".jsonl")) {
            lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
    }

    /** Whether it has ${name}. */
    boolean mentions(String name) {
        return lines.stream().anyMatch(line -> line.contains("${" + name + "}"));
    }

    /** An answer to a line of the script. */
    record Answer(String line, String command, String eventBefore, Map<String, Object> message) {}

    /** What one end said: its answers, and beside them its events, in order. */
    record Said(List<Answer> answers, List<String> events) {}

    /** Plays it with two ends, by the paths of their sockets. */
    Map<String, Said> play(Map<String, Path> ends, Map<String, String> names) throws Exception {
        Map<String, String> words = new LinkedHashMap<>(names);
        Map<String, Said> said = new LinkedHashMap<>();
        Map<String, Talk> talks = new LinkedHashMap<>();
        boolean negotiate = !lines.getFirst().contains("\"negotiate\"");
        try {
            for (Map.Entry<String, Path> end : ends.entrySet()) {
                Talk talk = new Talk(new RawQmp(end.getValue()));
                talks.put(end.getKey(), talk);
                said.put(end.getKey(), talk.said);
                talk.greet(negotiate);
            }
            for (String line : lines.subList(negotiate ? 0 : 1, lines.size())) {
                for (Map.Entry<?, ?> step : ((Map<?, ?>) Json.parse(line)).entrySet()) {
                    Talk talk = talks.get(step.getKey());
                    try {
                        talk.step(line, replaced(step.getValue(), words), words);
                    } catch (Exception e) {
                        throw new IOException(
                                line + ": " + e.getMessage() + "; so far " + talk.said, e);
                    }
                }
            }
            return said;
        } finally {
            for (Talk talk : talks.values()) talk.qmp.close();
        }
    }

    private static Object replaced(Object value, Map<String, String> words) throws IOException {
        String text = Json.write(value);
        for (Map.Entry<String, String> word : words.entrySet()) {
            text = text.replace("${" + word.getKey() + "}", word.getValue());
        }
        return Json.parse(text);
    }

    private static final class Talk {
        final RawQmp qmp;
        final Said said = new Said(new ArrayList<>(), new ArrayList<>());
        private int awaited; // events

        Talk(RawQmp qmp) {
            this.qmp = qmp;
        }

        void greet(boolean negotiate) throws Exception {
            said.answers.add(new Answer("greeting", "greeting", "", qmp.next()));
            if (negotiate) answer("qmp_capabilities", "{\"execute\": \"qmp_capabilities\"}");
        }

        void step(String line, Object step, Map<String, String> words) throws Exception {
            switch (step) {
                case List<?> wanted -> {
                    for (Object event : wanted) {
                        // The same again has to come again.
                        while (true) {
                            while (awaited == said.events.size()) event(qmp.next());
                            if (said.events.get(awaited++).equals(event)) break;
                        }
                    }
                }
                case Map<?, ?> until when until.containsKey("until") ->
                        status("query-migrate", until.get("until"));
                case Map<?, ?> is when is.containsKey("is") -> status("query-status", is.get("is"));
                case Map<?, ?> gone when gone.containsKey("unlisted") ->
                        until("query-yank", now -> !types(now).contains(gone.get("unlisted")));
                default -> {
                    String text = step instanceof String raw ? raw : Json.write(step);
                    Map<String, Object> answer = answer(line, text);
                    if (answer.get("return") instanceof Map<?, ?> told
                            && told.get("socket-address") instanceof List<?> addresses
                            && addresses.getFirst() instanceof Map<?, ?> address
                            && address.get("port") instanceof String port) {
                        words.put("port", port);
                    }
                }
            }
        }

        private Map<String, Object> answer(String line, String text) throws Exception {
            String command =
                    text.startsWith("{\"execute\":\"")
                            ? text.split("\"")[3]
                            : text.equals("{\"execute\": \"qmp_capabilities\"}") ? line : "";
            qmp.send(text + "\n");
            String first = "";
            while (true) {
                Map<String, Object> message = qmp.next();
                if (!message.containsKey("event")) {
                    boolean causes = CAUSING.contains(command) && message.containsKey("return");
                    String before = causes ? first : ""; // what is refused causes nothing
                    said.answers.add(new Answer(line, command, before, message));
                    return message;
                }
                String event = event(message);
                if (first.isEmpty()) first = event;
            }
        }

        private void status(String query, Object wanted) throws Exception {
            until(query, now -> wanted.equals(((Map<?, ?>) now).get("status")));
        }

        private static List<?> types(Object instances) {
            return ((List<?>) instances).stream().map(i -> ((Map<?, ?>) i).get("type")).toList();
        }

        private void until(String query, Predicate<Object> wanted) throws Exception {
            long end = System.nanoTime() + RawQmp.DEADLINE * 1_000_000_000L;
            while (true) {
                qmp.send("{\"execute\": \"" + query + "\"}");
                Map<String, Object> message = qmp.next();
                while (message.containsKey("event")) {
                    event(message);
                    message = qmp.next();
                }
                Object now = message.get("return");
                if (wanted.test(now)) return;
                if (System.nanoTime() > end) throw new IOException("still " + now);
                LockSupport.parkNanos(200_000);
            }
        }

        private String event(Map<String, Object> message) throws IOException {
            if (!message.containsKey("event")) throw new IOException("not asked for: " + message);
            if (!(message.get("timestamp") instanceof Map<?, ?> time
                    && time.get("seconds") instanceof Long
                    && time.get("microseconds") instanceof Long)) {
                throw new IOException("an event without its time: " + message);
            }
            Map<?, ?> data = (Map<?, ?>) message.getOrDefault("data", Map.of());
            String event =
                    data.get("status") instanceof String status
                            ? status
                            : data.get("pass") instanceof Long pass
                                    ? "pass " + pass
                                    : (String) message.get("event");
            said.events.add(event);
            return event;
        }
    }
}
