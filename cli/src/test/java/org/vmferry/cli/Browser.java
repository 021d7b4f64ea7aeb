package org.vmferry.cli;

import org.vmferry.engine.json.Json;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** A Chromium without a window, driven over its DevTools protocol on the loopback. */
final class Browser implements AutoCloseable {
    private static final String PROGRAM = "chromium";
    private static final int DEADLINE = 60; // seconds, for anything that has to come

    private final Process process;
    private final WebSocket socket;
    private final AtomicLong ids = new AtomicLong();
    private final Map<Long, CompletableFuture<Map<?, ?>>> answers = new ConcurrentHashMap<>();
    private final List<Map<?, ?>> events = new CopyOnWriteArrayList<>();

    /** Whether there is one here. */
    static boolean isThere() {
        for (String folder : System.getenv("PATH").split(File.pathSeparator))
            if (Files.isExecutable(Path.of(folder, PROGRAM))) return true;
        return false;
    }

    /**
     * Starts one.
     *
     * @param folder what it keeps goes there
     */
    Browser(Path folder) throws Exception {
        process =
                new ProcessBuilder(
                                PROGRAM,
                                "--headless=new",
                                "--no-sandbox", // root has none
                                "--disable-gpu",
                                "--disable-dev-shm-usage",
                                "--no-first-run",
                                "--remote-debugging-port=0",
                                "--user-data-dir=" + folder,
                                "about:blank")
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try {
            HttpClient client = HttpClient.newHttpClient();
            String address = "http://127.0.0.1:" + port(folder.resolve("DevToolsActivePort"));
            socket =
                    client.newWebSocketBuilder()
                            .buildAsync(URI.create(page(client, address)), new Listener())
                            .get(DEADLINE, TimeUnit.SECONDS);
            for (String domain : List.of("Page", "Runtime", "Log", "Network"))
                call(domain + ".enable", Map.of());
        } catch (Exception | Error e) {
            process.destroyForcibly();
            throw e;
        }
    }

    private String port(Path file) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE);
        while (System.nanoTime() < end && process.isAlive()) {
            if (Files.exists(file) && Files.size(file) > 0)
                return Files.readAllLines(file).getFirst();
            LockSupport.parkNanos(20_000_000);
        }
        throw new IOException(PROGRAM + " did not come up");
    }

    private static String page(HttpClient client, String address) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(address + "/json/list")).build();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE);
        while (System.nanoTime() < end) {
            String body = client.send(request, HttpResponse.BodyHandlers.ofString()).body();
            for (Object each : (List<?>) Json.parse(body)) {
                Map<?, ?> target = (Map<?, ?>) each;
                if (target.get("type").equals("page"))
                    return target.get("webSocketDebuggerUrl").toString();
            }
            LockSupport.parkNanos(20_000_000);
        }
        throw new IOException(PROGRAM + " has no page");
    }

    private final class Listener implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
            text.append(part);
            if (last) {
                take(text.toString());
                text.setLength(0);
            }
            from.request(1);
            return null;
        }
    }

    private void take(String text) {
        try {
            Map<?, ?> message = (Map<?, ?>) Json.parse(text);
            if (message.get("id") instanceof Long id) answers.remove(id).complete(message);
            else events.add(message);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Has it do something: what it answers. */
    Map<?, ?> call(String method, Map<String, ?> parameters) throws Exception {
        long id = ids.incrementAndGet();
        CompletableFuture<Map<?, ?>> answer = new CompletableFuture<>();
        answers.put(id, answer);
        socket.sendText(Json.write(Map.of("id", id, "method", method, "params", parameters)), true);
        Map<?, ?> message = answer.get(DEADLINE, TimeUnit.SECONDS);
        if (message.containsKey("error"))
            throw new IOException(method + ": " + message.get("error"));
        return (Map<?, ?>) message.get("result");
    }

    /** Loads a file; returns when its script has run. */
    void open(Path file) throws Exception {
        events.clear();
        call("Page.navigate", Map.of("url", file.toUri().toString()));
        long end = System.nanoTime() + Duration.ofSeconds(DEADLINE).toNanos();
        while (!"yes".equals(ask("document.body && document.body.dataset.ready"))) {
            if (System.nanoTime() > end) throw new IOException("the page's script has not run");
            LockSupport.parkNanos(20_000_000);
        }
    }

    /** What an expression is, in the page. */
    Object ask(String expression) throws Exception {
        Map<?, ?> answer =
                call(
                        "Runtime.evaluate",
                        Map.of(
                                "expression",
                                expression,
                                "returnByValue",
                                true,
                                "awaitPromise",
                                true));
        if (answer.containsKey("exceptionDetails"))
            throw new IOException(expression + ": " + answer.get("exceptionDetails"));
        return ((Map<?, ?>) answer.get("result")).get("value");
    }

    String text(String id) throws Exception {
        return (String) ask("document.getElementById('" + id + "').innerText");
    }

    /** Presses a key as a person does, such as Enter or ArrowDown. */
    void press(String key, int code) throws Exception {
        String text = key.equals("Enter") ? "\r" : "";
        Map<String, Object> pressed =
                Map.of(
                        "type",
                        "keyDown",
                        "key",
                        key,
                        "code",
                        key,
                        "windowsVirtualKeyCode",
                        code,
                        "text",
                        text);
        call("Input.dispatchKeyEvent", pressed);
        call("Input.dispatchKeyEvent", Map.of("type", "keyUp", "key", key, "code", key));
    }

    /** Types where the cursor is. */
    void type(String text) throws Exception {
        call("Input.insertText", Map.of("text", text));
    }

    /** Clicks at the middle of the first element of a selector. */
    void click(String selector) throws Exception {
        String at =
                (String)
                        ask(
                                "(() => { const e = document.querySelector('%s'); e.scrollIntoView({block: 'center'});"
                                                .formatted(selector)
                                        + " const r = e.getBoundingClientRect(); return (r.x +"
                                        + " r.width / 2) + ',' + (r.y + r.height / 2); })()");
        double x = Double.parseDouble(at.split(",")[0]);
        double y = Double.parseDouble(at.split(",")[1]);
        for (String type : List.of("mousePressed", "mouseReleased"))
            call(
                    "Input.dispatchMouseEvent",
                    Map.of("type", type, "x", x, "y", y, "button", "left", "clickCount", 1));
    }

    /** How wide its window is, and whether it is asked for dark colours. */
    void look(int width, boolean dark) throws Exception {
        call(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", false));
        Map<String, String> scheme =
                Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light");
        call("Emulation.setEmulatedMedia", Map.of("features", List.of(scheme)));
    }

    /** What it shows, as PNG. */
    byte[] picture() throws Exception {
        Map<?, ?> answer = call("Page.captureScreenshot", Map.of("format", "png"));
        return Base64.getDecoder().decode((String) answer.get("data"));
    }

    /** What it complained of: exceptions, and lines of its console and log. */
    List<String> complaints() {
        List<String> complaints = new ArrayList<>();
        for (Map<?, ?> event : events)
            if (List.of(
                            "Runtime.exceptionThrown",
                            "Runtime.consoleAPICalled",
                            "Log.entryAdded",
                            "Page.javascriptDialogOpening")
                    .contains(event.get("method"))) complaints.add(event.toString());
        return complaints;
    }

    /** What it asked for, of files and of others. */
    List<String> requests() {
        List<String> requests = new ArrayList<>();
        for (Map<?, ?> event : events) {
            if (!event.get("method").equals("Network.requestWillBeSent")) continue;
            Map<?, ?> request = (Map<?, ?>) ((Map<?, ?>) event.get("params")).get("request");
            requests.add(request.get("url").toString());
        }
        return requests;
    }

    @Override
    public void close() throws Exception {
        socket.abort();
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
    }
}
