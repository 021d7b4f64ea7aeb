package org.vmferry.engine.qmp;

import static org.vmferry.engine.qmp.QmpType.Builtin.ANY;
import static org.vmferry.engine.qmp.QmpType.Builtin.BOOLEAN;
import static org.vmferry.engine.qmp.QmpType.Builtin.INTEGER;
import static org.vmferry.engine.qmp.QmpType.Builtin.STRING;
import static org.vmferry.engine.qmp.QmpType.NOTHING;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.qmp.QmpType.Array;
import org.vmferry.engine.qmp.QmpType.Choice;
import org.vmferry.engine.qmp.QmpType.Struct;
import org.vmferry.spi.Log;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Knows the commands, and tells clients of events.
 *
 * <p>A command is executed and answered on one lock, on which events are told too. So what a
 * command causes in its own thread is told before its answer, as in QEMU, and what other threads
 * come to after it. A host's own commands are not on it: they may take their time.
 */
final class Monitor {
    private static final Logger LOG = Log.of(Monitor.class);

    static final String NEGOTIATE = "qmp_capabilities";
    static final String OOB = "oob";

    private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_-]{0,99}");

    private static final Map<String, ?> VERSION =
            Map.of(
                    "qemu",
                    Map.of("major", 10, "minor", 0, "micro", 0), // whose words these are
                    "package",
                    "vmferry");
    private static final QmpType VERSION_TYPE =
            NOTHING.with(
                            "qemu",
                            NOTHING.with("major", INTEGER)
                                    .with("minor", INTEGER)
                                    .with("micro", INTEGER))
                    .with("package", STRING);

    /** What a command does. */
    interface Body {
        @Nullable Object execute(Arguments arguments) throws Refusal, IOException;
    }

    /**
     * A command.
     *
     * @param told what it takes, in the schema
     * @param takes what it is held to: this, or anything, if the command checks it itself
     * @param outOfBand whether a client may ask for it before its other requests; it is short, and
     *     so comes in its turn
     * @param hosts whether it is the host's, and executed without the lock
     */
    record Command(
            Struct told,
            QmpType takes,
            QmpType gives,
            boolean outOfBand,
            boolean hosts,
            Body body) {}

    private final Object lock = new Object();
    private final Map<String, Command> commands = new TreeMap<>();
    private final Map<String, QmpType> events = new TreeMap<>();
    private final @Nullable Runnable quit; // null if it is refused
    private final List<Conversation> conversations = new ArrayList<>(); // guarded by lock
    // Guarded by lock, as the next.
    private @Nullable Conversation current; // whose command is executed
    private Runnable afterwards = () -> {};

    Monitor(@Nullable Runnable quit) {
        this.quit = quit;
        command(
                NEGOTIATE,
                NOTHING.withOptional("enable", new Array(new Choice(List.of(OOB)))),
                NOTHING,
                arguments -> Objects.requireNonNull(current).negotiate(arguments.list("enable")));
        command("query-version", NOTHING, VERSION_TYPE, arguments -> VERSION);
        command(
                "query-commands",
                NOTHING,
                new Array(NOTHING.with("name", STRING)),
                arguments -> commands.keySet().stream().map(name -> Map.of("name", name)).toList());
        command("query-qmp-schema", NOTHING, new Array(ANY), arguments -> schema());
        command("quit", NOTHING, NOTHING, this::quit);
        mayTell("SHUTDOWN", NOTHING.with("guest", BOOLEAN).with("reason", STRING));
    }

    Object lock() {
        return lock;
    }

    /** Before the first client comes, as the next three. */
    void command(String name, Struct takes, QmpType gives, Body body) {
        command(name, takes, takes, gives, body);
    }

    /** One that checks for itself what it is given, and can explain it better. */
    void command(String name, Struct told, QmpType takes, QmpType gives, Body body) {
        commands.put(name, new Command(told, takes, gives, false, false, body));
    }

    void outOfBandCommand(String name, Struct takes, QmpType gives, Body body) {
        commands.put(name, new Command(takes, takes, gives, true, false, body));
    }

    /** A host's. */
    void command(QmpCommand command) {
        String name = command.name();
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("A QMP command can't be called '" + name + "'");
        }
        if (commands.containsKey(name)) {
            throw new IllegalArgumentException("There is a QMP command '" + name + "' already");
        }
        QmpType gives = command.answer();
        Body body = arguments -> answer(name, gives, command.execute(arguments.members()));
        Struct takes = command.arguments();
        commands.put(name, new Command(takes, takes, gives, false, true, body));
    }

    private static @Nullable Object answer(String name, QmpType gives, @Nullable Object answer) {
        try {
            TypeCheck.check(gives, answer, "return");
        } catch (Refusal e) {
            throw new IllegalStateException(
                    "'" + name + "' answers what its type does not allow: " + e.getMessage(), e);
        }
        Json.write(answer); // throws here if it can't be
        return answer;
    }

    /** An event that clients may be told. */
    void mayTell(String event, QmpType data) {
        events.put(event, data);
    }

    /** The command of that name. */
    Command find(String name) throws Refusal {
        Command command = commands.get(name);
        if (command == null) {
            throw Refusal.commandNotFound("The command %s has not been found", name);
        }
        return command;
    }

    private List<?> schema() {
        Schema schema = new Schema();
        commands.forEach(
                (name, command) ->
                        schema.command(name, command.told(), command.gives(), command.outOfBand()));
        events.forEach(schema::event);
        return schema.entities();
    }

    /** A client came: it is greeted. */
    void joined(Conversation conversation) {
        synchronized (lock) {
            conversations.add(conversation);
            conversation
                    .client()
                    .send(Map.of("QMP", ordered("version", VERSION, "capabilities", List.of(OOB))));
        }
    }

    void left(Conversation conversation) {
        synchronized (lock) {
            conversations.remove(conversation);
        }
    }

    /** Executes and answers a command while nothing else is. */
    void inTurn(Conversation conversation, Runnable command) {
        synchronized (lock) {
            current = conversation;
            afterwards = () -> {};
            command.run();
            afterwards.run();
        }
    }

    /** Of the command that is being executed: something to do when its answer is on its way. */
    void afterwards(Runnable work) {
        afterwards = work;
    }

    void event(String name) {
        event(name, Map.of());
    }

    /** Tells the clients; any thread. */
    void event(String name, Map<String, ?> data) {
        synchronized (lock) {
            Instant now = Instant.now();
            Map<String, Object> event = new LinkedHashMap<>();
            event.put(
                    "timestamp",
                    ordered("seconds", now.getEpochSecond(), "microseconds", now.getNano() / 1000));
            event.put("event", name);
            if (!data.isEmpty()) event.put("data", data);
            for (Conversation each : conversations) each.event(event);
        }
    }

    private Object quit(Arguments arguments) throws Refusal {
        Runnable end = quit;
        if (end == null) throw Refusal.generic("This host does not end by QMP");
        event("SHUTDOWN", ordered("guest", false, "reason", "host-qmp-quit"));
        List<Conversation> all = List.copyOf(conversations);
        afterwards(() -> new Thread(() -> quit(all, end), "qmp-quit").start());
        return Map.of();
    }

    /** Not in the client's thread: the host may close the server, which waits for that one. */
    private static void quit(List<Conversation> all, Runnable end) {
        long deadline = Client.lastWord();
        for (Conversation each : all) {
            try {
                each.client().drain(deadline);
            } catch (IOException e) {
                LOG.debug("Ending without a last word", e);
            }
        }
        end.run();
    }

    /** An object of two members, in their order. */
    static Map<String, Object> ordered(String one, Object first, String two, Object second) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put(one, first);
        object.put(two, second);
        return object;
    }
}
