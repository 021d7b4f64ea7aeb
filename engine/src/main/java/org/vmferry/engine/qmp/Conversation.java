package org.vmferry.engine.qmp;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.qmp.Monitor.Command;
import org.vmferry.spi.Log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One client's requests and their answers. */
final class Conversation implements Framer.Handler {
    private static final Logger LOG = Log.of(Conversation.class);

    private final Monitor monitor;
    private final Client client;
    private boolean negotiated; // written on the monitor's lock, by the client's thread
    private boolean outOfBand; // the same

    Conversation(Monitor monitor, Client client) {
        this.monitor = monitor;
        this.client = client;
    }

    private record Call(Command command, Map<?, ?> arguments) {}

    @Override
    public void malformed(String why) {
        client.send(error(Refusal.generic("%s", why)));
    }

    @Override
    public void message(byte[] text) {
        Map<String, @Nullable Object> answer = new LinkedHashMap<>();
        Call call;
        try {
            call = call(text, answer);
        } catch (Refusal e) {
            answer.putAll(error(e));
            client.send(answer);
            return;
        }
        if (call.command.hosts()) {
            answer.putAll(result(call));
            client.send(answer);
        } else {
            monitor.inTurn(
                    this,
                    () -> {
                        answer.putAll(result(call));
                        client.send(answer);
                    });
        }
    }

    /** Reads a request; its id goes into the answer, whatever becomes of it. */
    private Call call(byte[] text, Map<String, @Nullable Object> answer) throws Refusal {
        if (!(parse(text) instanceof Map<?, ?> request)) {
            throw Refusal.generic("QMP input must be a JSON object");
        }
        if (request.containsKey("id")) answer.put("id", request.get("id"));
        String verb = request.containsKey("exec-oob") && outOfBand ? "exec-oob" : "execute";
        for (Object member : request.keySet()) {
            if (!List.of(verb, "arguments", "id").contains(member)) {
                throw Refusal.generic("QMP input member '%s' is unexpected", member);
            }
        }
        if (!request.containsKey(verb)) {
            throw Refusal.generic("QMP input lacks member 'execute'");
        }
        if (!(request.get(verb) instanceof String name)) {
            throw Refusal.generic("QMP input member '%s' must be a string", verb);
        }
        Object given = request.containsKey("arguments") ? request.get("arguments") : Map.of();
        if (!(given instanceof Map<?, ?> arguments)) {
            throw Refusal.generic("QMP input member 'arguments' must be an object");
        }
        if (!negotiated && !name.equals(Monitor.NEGOTIATE)) {
            throw Refusal.commandNotFound(
                    "Expecting capabilities negotiation with '%s'", Monitor.NEGOTIATE);
        }
        Command command = monitor.find(name);
        if (verb.equals("exec-oob") && !command.outOfBand()) {
            throw Refusal.generic("The command %s does not support OOB", name);
        }
        return new Call(command, arguments);
    }

    private static @Nullable Object parse(byte[] text) throws Refusal {
        try {
            return Json.parseRequest(text);
        } catch (IOException e) {
            throw Refusal.generic("JSON parse error: %s", e.getMessage());
        }
    }

    /** What a command returns, or why it returns nothing. */
    private static Map<String, ? extends @Nullable Object> result(Call call) {
        try {
            TypeCheck.check(call.command.takes(), call.arguments, "");
            // Map.of takes no null, which it may be.
            return Collections.singletonMap(
                    "return", call.command.body().execute(Arguments.of(call.arguments)));
        } catch (Refusal e) {
            return error(e);
        } catch (IOException e) {
            return error(Refusal.generic("%s", e.getMessage()));
        } catch (RuntimeException | Error e) { // the next one may do all the same
            LOG.warn("A QMP command failed", e);
            return error(Refusal.generic("it failed inside this host: %s", reason(e)));
        }
    }

    private static @Nullable Object reason(Throwable e) {
        Throwable cause = e.getCause();
        return e instanceof UncheckedIOException && cause != null ? cause.getMessage() : e;
    }

    private static Map<String, Object> error(Refusal why) {
        return Map.of("error", Monitor.ordered("class", why.errorClass(), "desc", why.desc()));
    }

    /** The client says that it has read the greeting, and what it wants. */
    Object negotiate(List<?> enabled) throws Refusal {
        if (negotiated) {
            throw Refusal.commandNotFound(
                    "Capabilities negotiation is already complete, command ignored");
        }
        outOfBand = enabled.contains(Monitor.OOB);
        negotiated = true;
        return Map.of();
    }

    /** An event is for it only once it has negotiated; on the monitor's lock. */
    void event(Map<String, ?> event) {
        if (negotiated) client.send(event);
    }

    Client client() {
        return client;
    }
}
