package org.vmferry.it.qmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What query-qmp-schema told, of a host or of a QEMU. */
final class QmpSchema {
    private final Map<String, Map<?, ?>> entities = new TreeMap<>();

    private QmpSchema(List<?> told) {
        for (Object each : told) {
            Map<?, ?> entity = (Map<?, ?>) each;
            assertThat(entities.put((String) entity.get("name"), entity)).isNull();
        }
    }

    /** Asks a client that has not negotiated yet. */
    static QmpSchema of(RawQmp client) throws Exception {
        client.next();
        client.ask("qmp_capabilities", Map.of());
        return new QmpSchema((List<?>) client.ask("query-qmp-schema", Map.of()));
    }

    Set<String> named(String metaType) {
        Set<String> names = new TreeSet<>();
        entities.forEach(
                (name, entity) -> {
                    if (metaType.equals(entity.get("meta-type"))) names.add(name);
                });
        return names;
    }

    boolean has(String name) {
        return entities.containsKey(name);
    }

    Map<?, ?> entity(Object name) {
        assertThat(entities).as("an entity that another names").containsKey((String) name);
        return entities.get(name);
    }

    /** Fails unless a command may return that. */
    void requireReturned(String command, Object value) {
        if (!entities.containsKey(command)) return; // a greeting, or no JSON at all
        require(entity(command).get("ret-type"), value, command);
    }

    private void require(Object type, Object value, String place) {
        Map<?, ?> entity = entity(type);
        switch ((String) entity.get("meta-type")) {
            case "builtin" ->
                    assertThat(isOf((String) entity.get("json-type"), value))
                            .as("%s is of %s: %s", place, entity, value)
                            .isTrue();
            case "enum" -> assertThat(value).as(place).isIn((List<?>) entity.get("values"));
            case "array" -> {
                for (Object each : (List<?>) value)
                    require(entity.get("element-type"), each, place + "[]");
            }
            case "object" -> {
                Map<?, ?> given = (Map<?, ?>) value;
                Map<String, Map<?, ?>> members = members(entity);
                for (Object name : given.keySet()) {
                    assertThat(members).as(place).containsKey((String) name);
                    require(members.get(name).get("type"), given.get(name), place + "." + name);
                }
                members.forEach(
                        (name, member) -> {
                            if (!member.containsKey("default"))
                                assertThat(given.containsKey(name)).as(place + "." + name).isTrue();
                        });
            }
            default -> fail("%s: %s", place, entity);
        }
    }

    private static boolean isOf(String jsonType, Object value) {
        return switch (jsonType) {
            case "string" -> value instanceof String;
            case "int" -> value instanceof Long || value instanceof BigInteger;
            case "number" -> value instanceof Number;
            case "boolean" -> value instanceof Boolean;
            case "value" -> true;
            default -> false;
        };
    }

    /** By name; of a union, with those of its variants, which may be left out. */
    Map<String, Map<?, ?>> members(Map<?, ?> object) {
        Map<String, Map<?, ?>> members = new LinkedHashMap<>();
        for (Object each : (List<?>) object.get("members")) {
            Map<?, ?> member = (Map<?, ?>) each;
            members.put((String) member.get("name"), member);
        }
        if (object.get("variants") instanceof List<?> variants) {
            for (Object each : variants) {
                Map<?, ?> variant = entity(((Map<?, ?>) each).get("type"));
                members(variant)
                        .forEach(
                                (name, member) -> {
                                    Map<Object, Object> optional = new LinkedHashMap<>(member);
                                    optional.put("default", null);
                                    members.putIfAbsent(name, optional);
                                });
            }
        }
        return members;
    }

    /**
     * Where a type of ours is no part of the same one of a QEMU's: a member that it has not, or of
     * another kind, or that we demand and it does not.
     */
    List<String> strangers(Object type, QmpSchema qemu, Object theirs, String place) {
        List<String> found = new ArrayList<>();
        Map<?, ?> own = entity(type);
        Map<?, ?> other = qemu.entity(theirs);
        String kind = (String) own.get("meta-type");
        if ("any".equals(type)) return found; // not described further
        if ("str".equals(type) && "enum".equals(other.get("meta-type"))) return found;
        if (!kind.equals(other.get("meta-type"))) {
            found.add(place + ": " + kind + ", in QEMU " + other.get("meta-type"));
            return found;
        }
        switch (kind) {
            case "builtin" -> {
                if (!own.get("json-type").equals(other.get("json-type")))
                    found.add(place + ": " + type + ", in QEMU " + theirs);
            }
            case "array" ->
                    found.addAll(
                            strangers(
                                    own.get("element-type"),
                                    qemu,
                                    other.get("element-type"),
                                    place + "[]"));
            case "object" -> {
                Map<String, Map<?, ?>> has = qemu.members(other);
                members(own)
                        .forEach(
                                (name, member) -> {
                                    String at = place + "." + name;
                                    Map<?, ?> same = has.get(name);
                                    if (same == null) {
                                        found.add(at);
                                        return;
                                    }
                                    if (!member.containsKey("default")
                                            && same.containsKey("default"))
                                        found.add(at + " must be there");
                                    found.addAll(
                                            strangers(
                                                    member.get("type"),
                                                    qemu,
                                                    same.get("type"),
                                                    at));
                                });
            }
            default -> {}
        }
        return found;
    }
}
