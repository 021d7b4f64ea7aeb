package org.vmferry.it.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Engine;
import org.vmferry.engine.qmp.QmpServer;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** A host and a QEMU, side by side: what one says of itself is said to the other. */
@RequiresQemu
class QmpAgainstQemuTest {
    @TempDir Path folder;

    /** A script that sets all that it knows, each to what it had read of a QEMU. */
    @Test
    void aHostTakesAllThatAQemuHasAnyway() throws Exception {
        try (Both both = new Both(true)) {
            Object capabilities = both.qemu.ask("query-migrate-capabilities", Map.of());
            Map<String, Object> all = parameters(both.qemu);
            assertThat(all).containsKeys("xbzrle-cache-size", "max-bandwidth");
            assertThat(
                            both.host.ask(
                                    "migrate-set-capabilities",
                                    Map.of("capabilities", capabilities)))
                    .isEqualTo(Map.of());
            assertThat(both.host.ask("migrate-set-parameters", all)).isEqualTo(Map.of());
            for (Map.Entry<String, Object> each : all.entrySet()) {
                assertThat(
                                both.host.ask(
                                        "migrate-set-parameters",
                                        Map.of(each.getKey(), each.getValue())))
                        .as("%s", each)
                        .isEqualTo(Map.of());
            }
        }
    }

    /** The other way: what a host tells of itself can be said to a QEMU as it is. */
    @Test
    void aQemuTakesAllThatAHostTells() throws Exception {
        try (Both both = new Both(false)) {
            assertThat(
                            both.host.ask(
                                    "migrate-set-parameters",
                                    Map.of("silence-timeout", 1000, "downtime-limit", 17)))
                    .isEqualTo(Map.of());
            Map<String, Object> all = parameters(both.host);
            assertThat(all).containsEntry("downtime-limit", 17L).doesNotContainKey("page-size");
            assertThat(both.qemu.ask("migrate-set-parameters", all)).isEqualTo(Map.of());
            Object capabilities = both.host.ask("query-migrate-capabilities", Map.of());
            assertThat(
                            both.qemu.ask(
                                    "migrate-set-capabilities",
                                    Map.of("capabilities", capabilities)))
                    .isEqualTo(Map.of());
            assertThat((Map<?, ?>) both.host.ask("query-migrate-parameters", own()))
                    .extracting("silence-timeout", "page-size")
                    .containsExactly(1000L, 0L);
        }
    }

    private static Map<String, Object> own() {
        return Map.of("vmferry-own", true);
    }

    @Test
    void bandwidthIsTakenAtItsEnds() throws Exception {
        try (Both both = new Both(false)) {
            for (RawQmp end : List.of(both.host, both.qemu)) {
                for (String text :
                        List.of("0", "-1", "9223372036854775808", "18446744073709551615")) {
                    end.send(
                            """
                            {"execute": "migrate-set-parameters",
                             "arguments": {"max-bandwidth": %s}}\
                            """
                                    .formatted(text));
                    assertThat(end.next()).as(text).containsKey("return");
                }
                for (String text : List.of("1.0", "1e3", "18446744073709551616", "\"7\"")) {
                    end.send(
                            """
                            {"execute": "migrate-set-parameters",
                             "arguments": {"max-bandwidth": %s}}\
                            """
                                    .formatted(text));
                    assertThat(end.next()).as(text).containsKey("error");
                }
                assertThat(end.ask("migrate-set-parameters", Map.of("downtime-limit", -1)))
                        .asString()
                        .contains("GenericError");
            }
        }
    }

    /** Each command and event of ours is one of QEMU's, and so is all that it takes and tells. */
    @Test
    void ourSchemaIsAPartOfQemus() throws Exception {
        Path qemu = folder.resolve("qemu");
        Path socket = folder.resolve("host");
        try (Qemu other = qemu(qemu, false);
                ReferenceMachine machine = machine();
                QmpServer server = QmpServer.listen(Engine.create(), machine, socket);
                RawQmp theirs = new RawQmp(qemu);
                RawQmp ours = new RawQmp(socket)) {
            QmpSchema all = QmpSchema.of(theirs);
            QmpSchema own = QmpSchema.of(ours);
            List<String> strangers = new ArrayList<>();
            for (String metaType : List.of("command", "event")) {
                assertThat(all.named(metaType)).containsAll(own.named(metaType));
                for (String name : own.named(metaType)) {
                    Map<?, ?> one = own.entity(name);
                    Map<?, ?> other1 = all.entity(name);
                    for (String part : List.of("arg-type", "ret-type")) {
                        if (one.containsKey(part))
                            strangers.addAll(
                                    own.strangers(one.get(part), all, other1.get(part), name));
                    }
                    assertThat(one.get("allow-oob")).as(name).isEqualTo(other1.get("allow-oob"));
                }
            }
            assertThat(own.named("command")).contains("migrate", "query-qmp-schema", "yank");
            strangers.removeIf(place -> place.contains(".vmferry-"));
            Set<String> parameters = new TreeSet<>();
            for (String place : strangers) {
                assertThat(place).matches("(migrate-set|query-migrate)-parameters\\.[a-z-]+");
                parameters.add(place.substring(place.indexOf('.') + 1));
            }
            assertThat(parameters)
                    .as("our own, which are told when asked for, and those of a QEMU 7.2")
                    .containsExactlyInAnyOrder(
                            "connect-timeout",
                            "eof-silence",
                            "multifd-flush-after-each-section",
                            "page-size",
                            "round-limit",
                            "silence-timeout",
                            "tls-verify-peer",
                            "block-incremental",
                            "compress-level",
                            "compress-threads",
                            "compress-wait-thread",
                            "decompress-threads");
        }
    }

    private static Map<String, Object> parameters(RawQmp of) throws Exception {
        Map<String, Object> parameters = new TreeMap<>();
        ((Map<?, ?>) of.ask("query-migrate-parameters", Map.of()))
                .forEach((name, value) -> parameters.put((String) name, value));
        return parameters;
    }

    private static ReferenceMachine machine() {
        return ReferenceMachine.builder().ram(4 << 20).dirtyWindow(64).build();
    }

    private static Qemu qemu(Path socket, boolean incoming) throws Exception {
        var builder =
                Qemu.builder().memory(16).options("-qmp", "unix:" + socket + ",server=on,wait=off");
        return (incoming ? builder.incoming() : builder).start();
    }

    private final class Both implements AutoCloseable {
        final Qemu process;
        final ReferenceMachine machine = machine();
        final QmpServer server;
        final RawQmp qemu;
        final RawQmp host;

        Both(boolean incoming) throws Exception {
            process = QmpAgainstQemuTest.qemu(folder.resolve("qemu"), incoming);
            machine.enter(incoming ? RunState.INMIGRATE : RunState.RUNNING);
            server = QmpServer.listen(Engine.create(), machine, folder.resolve("host"));
            qemu = RawQmp.negotiated(folder.resolve("qemu"));
            host = RawQmp.negotiated(folder.resolve("host"));
        }

        @Override
        public void close() throws Exception {
            try (process;
                    machine;
                    server;
                    qemu;
                    host) {}
        }
    }
}
