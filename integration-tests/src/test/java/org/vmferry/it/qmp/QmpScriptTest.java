package org.vmferry.it.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.catalog.QemuNames;
import org.vmferry.engine.qmp.QmpServer;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.qmp.QmpScript.Answer;
import org.vmferry.it.qmp.QmpScript.Said;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.tls.TestCertificates;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The same scripts, played with two QEMUs and with two hosts that have a QmpServer: the answers are
 * of one shape, the states, error classes and the order of events are the same.
 */
@RequiresQemu
class QmpScriptTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    private static final int LINE = 9;
    private static final GuestRom GUEST = GuestRom.counting().dirty(2 << 20, 2 << 20);

    /** Members whose value counts, not only its type. */
    private static final Set<String> STATES = Set.of("status", "running", "class", "capability");

    @TempDir Path folder;
    private QmpSchema schema; // the host's

    @ParameterizedTest
    @ValueSource(
            strings = {
                "negotiation",
                "protocol",
                "options",
                "plain",
                "silent",
                "cancel",
                "pause",
                "pause-cancel",
                "paused",
                "run-state",
                "postmigrate",
                "failed",
                "yank",
                "yank-destination",
                "tls"
            })
    void aHostAnswersAsAQemu(String name) throws Exception {
        QmpScript script = new QmpScript(name);
        Map<String, Said> qemus = withQemus(script);
        Map<String, Said> hosts = withHosts(script);
        for (String end : List.of("source", "destination")) {
            List<Answer> theirs = qemus.get(end).answers();
            List<Answer> ours = hosts.get(end).answers();
            List<String> wanted = new ArrayList<>();
            List<String> got = new ArrayList<>();
            for (Answer answer : ours) {
                Object returned = answer.message().get("return");
                if (returned != null) schema.requireReturned(answer.command(), returned);
            }
            for (int i = 0; i < theirs.size(); i++) {
                wanted.add(text(theirs.get(i), theirs.get(i), ours.get(i)));
                got.add(text(ours.get(i), theirs.get(i), ours.get(i)));
            }
            assertThat(got).as("answers of the " + end).isEqualTo(wanted);
            assertThat(events(hosts.get(end)))
                    .as("events of the " + end)
                    .isEqualTo(events(qemus.get(end)));
        }
    }

    private Map<String, Said> withQemus(QmpScript script) throws Exception {
        Map<String, Path> ends = ends("qemu");
        try (Qemu source = qemu(ends.get("source"), false);
                Qemu destination = qemu(ends.get("destination"), true)) {
            source.awaitSerial(LINE, SOON);
            return script.play(ends, names(script, "qemu"));
        }
    }

    /**
     * A page with content takes a QEMU 0.1 s at a small bandwidth, however small; zeros nothing.
     */
    private static Qemu qemu(Path socket, boolean incoming) throws Exception {
        var builder =
                Qemu.builder()
                        .memory(16)
                        .rom(GUEST)
                        .options("-qmp", "unix:" + socket + ",server=on,wait=off");
        return (incoming ? builder.incoming() : builder).start();
    }

    private Map<String, Said> withHosts(QmpScript script) throws Exception {
        Map<String, Path> ends = ends("host");
        Engine engine = Engine.create();
        try (ReferenceMachine from =
                        ReferenceMachine.builder().ram(4 << 20).dirtyWindow(64).build();
                ReferenceMachine to =
                        ReferenceMachine.builder().ram(4 << 20).dirtyWindow(64).build();
                QmpServer source = QmpServer.listen(engine, from, ends.get("source"));
                QmpServer destination = QmpServer.listen(engine, to, ends.get("destination"));
                RawQmp other = new RawQmp(ends.get("source"))) {
            schema = QmpSchema.of(other);
            from.runFor(1_000_000); // it has pages that take their time at a small bandwidth
            from.enter(RunState.RUNNING);
            to.enter(RunState.INMIGRATE);
            return script.play(ends, names(script, "host"));
        }
    }

    private Map<String, Path> ends(String of) {
        Map<String, Path> ends = new LinkedHashMap<>();
        ends.put("source", folder.resolve(of + "-source"));
        ends.put("destination", folder.resolve(of + "-destination"));
        return ends;
    }

    private Map<String, String> names(QmpScript script, String of) throws Exception {
        Map<String, String> names = new LinkedHashMap<>();
        names.put("socket", folder.resolve(of + "-migration").toString());
        if (script.mentions("tls")) {
            names.put("tls", TestCertificates.in(folder.resolve("tls")).folder().toString());
        }
        return names;
    }

    /** How many rounds there are between two states is the guest's and the link's affair. */
    private static List<String> events(Said said) {
        List<String> events = new ArrayList<>();
        int pass = 0;
        String state = "";
        for (String event : said.events()) {
            if (event.equals("setup")) pass = 0;
            if (event.startsWith("pass ")) {
                assertThat(event).isEqualTo("pass " + ++pass);
                if (state.equals("active")) continue;
                event = "pass";
            } else if (Character.isLowerCase(event.charAt(0))) {
                state = event;
            }
            events.add(event);
        }
        return events;
    }

    private static String text(Answer answer, Answer theirs, Answer ours) {
        Map<String, Object> message = new LinkedHashMap<>(answer.message());
        if (message.containsKey("return")) {
            message.put("return", comparable(answer, theirs, ours));
        }
        // A host tells events in order: one of a round that is being told may delay the cancel's.
        String before = answer.command().equals("migrate_cancel") ? "" : answer.eventBefore();
        return answer.line() + " -> " + before + " " + shape("", message);
    }

    /** What may be compared of an answer: see the reasons. */
    private static Object comparable(Answer answer, Answer theirs, Answer ours) {
        Object returned = answer.message().get("return");
        return switch (answer.command()) {
            // A QEMU's monitors are chardevs that can be yanked.
            case "query-yank" ->
                    ((List<?>) returned)
                            .stream()
                                    .filter(i -> !"chardev".equals(((Map<?, ?>) i).get("type")))
                                    .toList();
            // We have those for migrations only.
            case "query-commands" ->
                    answer == ours
                                    && names(theirs, "name")
                                            .keySet()
                                            .containsAll(names(ours, "name").keySet())
                            ? theirs.message().get("return")
                            : returned;
            // We tell what we have; the others are known to us by name.
            case "query-migrate-capabilities" -> {
                Map<String, Object> all = names(theirs, "capability");
                Map<String, Object> own = names(ours, "capability");
                assertThat(all.keySet()).containsAll(own.keySet());
                assertThat(QemuNames.notBuilt()).containsAll(without(all, own));
                Map<String, Object> compared = new TreeMap<>(names(answer, "capability"));
                compared.keySet().retainAll(own.keySet());
                yield new Exactly(compared.toString());
            }
            case "query-migrate-parameters" -> {
                Map<?, ?> all = (Map<?, ?>) theirs.message().get("return");
                Map<?, ?> own = (Map<?, ?>) ours.message().get("return");
                assertThat(without(own, all)).as("what no QEMU has").isEmpty();
                assertThat(QemuNames.notBuilt()).containsAll(without(all, own));
                Map<Object, Object> compared = new TreeMap<>((Map<?, ?>) returned);
                compared.keySet().retainAll(own.keySet());
                compared.keySet().retainAll(all.keySet());
                yield new Exactly(compared.toString());
            }
            default -> returned;
        };
    }

    /** Compared by its text. */
    private record Exactly(String text) {}

    private static Map<String, Object> names(Answer answer, String member) {
        Map<String, Object> names = new TreeMap<>();
        for (Object each : (Collection<?>) answer.message().get("return")) {
            Map<?, ?> object = (Map<?, ?>) each;
            names.put((String) object.get(member), object.get("state"));
        }
        return names;
    }

    private static Set<String> without(Map<?, ?> one, Map<?, ?> other) {
        Set<String> rest = new TreeSet<>();
        one.keySet().forEach(name -> rest.add((String) name));
        rest.removeAll(other.keySet());
        return rest;
    }

    /** Members and types; states as they are. */
    private static String shape(String name, Object value) {
        return switch (value) {
            case null -> "null";
            case Exactly exactly -> exactly.text();
            case Map<?, ?> object -> {
                Map<String, String> members = new TreeMap<>();
                object.forEach((k, v) -> members.put((String) k, shape((String) k, v)));
                yield members.toString();
            }
            case List<?> list -> {
                Set<String> shapes = new TreeSet<>();
                for (Object element : list) shapes.add(shape(name, element));
                yield shapes.toString();
            }
            case Number number -> name.equals("id") ? number.toString() : "number";
            default ->
                    STATES.contains(name) || name.equals("id")
                            ? value.toString()
                            : value.getClass().getSimpleName();
        };
    }
}
