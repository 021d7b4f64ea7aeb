package org.vmferry.engine.qmp;

import org.slf4j.Logger;
import org.vmferry.engine.json.Json;
import org.vmferry.spi.Log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Understands what the client sends, executes it, and tells it of events.
 *
 * <p>A command is executed and answered on one lock, on which events are told too. So what a
 * command causes in its own thread is told before its answer, as in QEMU, and what other threads
 * come to after it.
 */
final class Monitor implements Framer.Handler {
    private static final Logger LOG = Log.of(Monitor.class);

    private static final Map<String, ?> VERSION =
            Map.of(
                    "qemu",
                    Map.of("major", 10, "minor", 0, "micro", 0), // whose words these are
                    "package",
                    "vmferry");

    /** What a command does; on the lock. */
    interface Command {
        Object execute(Arguments arguments) throws Refusal, IOException;
    }

    private final Object lock = new Object();
    private final Map<String, Command> commands = new TreeMap<>();
    private final Runnable quit; // or null
    private Client client; // guarded by lock, as all below
    private Runnable afterwards;

    Monitor(Runnable quit) {
        this.quit = quit;
        command("qmp_capabilities", this::negotiate);
        command("query-version", arguments -> nothing(arguments, VERSION));
        command("query-commands", this::queryCommands);
        command("quit", this::quit);
    }

    Object lock() {
        return lock;
    }

    /** Before the first client comes. */
    void command(String name, Command command) {
        commands.put(name, command);
    }

    /** A client came, or went (null). */
    void client(Client next) {
        synchronized (lock) {
            client = next;
            if (next != null) {
                next.send(Map.of("QMP", ordered("version", VERSION, "capabilities", List.of())));
            }
        }
    }

    void event(String name) {
        event(name, Map.of());
    }

    /** Tells the client, if there is one; any thread. */
    void event(String name, Map<String, ?> data) {
        synchronized (lock) {
            if (client == null || !client.negotiated) return;
            Instant now = Instant.now();
            Map<String, Object> event = new LinkedHashMap<>();
            event.put(
                    "timestamp",
                    ordered("seconds", now.getEpochSecond(), "microseconds", now.getNano() / 1000));
            event.put("event", name);
            if (!data.isEmpty()) event.put("data", data);
            client.send(event);
        }
    }

    /** Of the command that is being executed: something to do when its answer is on its way. */
    void afterwards(Runnable work) {
        afterwards = work;
    }

    @Override
    public void malformed(String why) {
        synchronized (lock) {
            client.send(error(Refusal.generic("%s", why)));
        }
    }

    @Override
    public void message(byte[] text) {
        synchronized (lock) {
            Map<String, Object> answer = new LinkedHashMap<>();
            afterwards = null;
            try {
                Object request = parse(text);
                if (!(request instanceof Map<?, ?> members)) {
                    throw Refusal.generic("QMP input must be a JSON object");
                }
                if (members.containsKey("id")) answer.put("id", members.get("id"));
                answer.put("return", execute(members));
            } catch (Refusal e) {
                answer.putAll(error(e));
            } catch (IOException e) {
                answer.putAll(error(Refusal.generic("%s", e.getMessage())));
            } catch (RuntimeException | Error e) { // the next one may do all the same
                LOG.warn("A QMP command failed", e);
                answer.putAll(error(Refusal.generic("it failed inside this host: %s", reason(e))));
            }
            client.send(answer);
            if (afterwards != null) afterwards.run();
        }
    }

    private static Object reason(Throwable e) {
        return e instanceof UncheckedIOException io ? io.getCause().getMessage() : e;
    }

    private static Object parse(byte[] text) throws Refusal {
        try {
            return Json.parseRequest(text);
        } catch (IOException e) {
            throw Refusal.generic("JSON parse error: %s", e.getMessage());
        }
    }

    private static Map<String, Object> error(Refusal why) {
        return Map.of("error", ordered("class", why.errorClass(), "desc", why.getMessage()));
    }

    private Object execute(Map<?, ?> request) throws Refusal, IOException {
        for (Object member : request.keySet()) {
            if (!List.of("execute", "arguments", "id").contains(member)) {
                throw Refusal.generic("QMP input member '%s' is unexpected", member);
            }
        }
        if (!request.containsKey("execute")) {
            throw Refusal.generic("QMP input lacks member 'execute'");
        }
        if (!(request.get("execute") instanceof String name)) {
            throw Refusal.generic("QMP input member 'execute' must be a string");
        }
        Object given = request.containsKey("arguments") ? request.get("arguments") : Map.of();
        if (!(given instanceof Map<?, ?> members)) {
            throw Refusal.generic("QMP input member 'arguments' must be an object");
        }
        if (!client.negotiated && !name.equals("qmp_capabilities")) {
            throw Refusal.commandNotFound(
                    "Expecting capabilities negotiation with 'qmp_capabilities'");
        }
        Command command = commands.get(name);
        if (command == null) {
            throw Refusal.commandNotFound("The command %s has not been found", name);
        }
        return command.execute(Arguments.of(members));
    }

    private Object negotiate(Arguments arguments) throws Refusal {
        if (client.negotiated) {
            throw Refusal.commandNotFound(
                    "Capabilities negotiation is already complete, command ignored");
        }
        for (Object capability : arguments.optionalList("enable").orElse(List.of())) {
            throw Refusal.generic("There is no QMP capability '%s'", capability);
        }
        arguments.end();
        client.negotiated = true;
        return Map.of();
    }

    private Object queryCommands(Arguments arguments) throws Refusal {
        return nothing(
                arguments, commands.keySet().stream().map(name -> Map.of("name", name)).toList());
    }

    private static Object nothing(Arguments arguments, Object answer) throws Refusal {
        arguments.end();
        return answer;
    }

    private Object quit(Arguments arguments) throws Refusal {
        arguments.end();
        if (quit == null) throw Refusal.generic("This host does not end by QMP");
        event("SHUTDOWN", ordered("guest", false, "reason", "host-qmp-quit"));
        Client last = client;
        afterwards(() -> new Thread(() -> quit(last), "qmp-quit").start());
        return Map.of();
    }

    /** Not in the client's thread: the host may close the server, which waits for that one. */
    private void quit(Client last) {
        try {
            last.flush();
        } catch (IOException e) {
            LOG.debug("Ending without a last word", e);
        }
        quit.run();
    }

    /** An object of two members, in their order. */
    static Map<String, Object> ordered(String one, Object first, String two, Object second) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put(one, first);
        object.put(two, second);
        return object;
    }
}
