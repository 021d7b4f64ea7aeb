package org.vmferry.engine.qmp;

import static org.vmferry.engine.qmp.QmpType.Builtin.STRING;

import org.jspecify.annotations.Nullable;
import org.vmferry.engine.qmp.QmpType.Array;
import org.vmferry.engine.qmp.QmpType.Builtin;
import org.vmferry.engine.qmp.QmpType.Choice;
import org.vmferry.engine.qmp.QmpType.Member;
import org.vmferry.engine.qmp.QmpType.StringOrNull;
import org.vmferry.engine.qmp.QmpType.Struct;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What query-qmp-schema answers, in the form of QEMU's: entities that name each other. As there,
 * names of commands, events and built-in types mean something, and all others are numbers.
 */
final class Schema {
    private final List<Map<String, Object>> entities = new ArrayList<>();
    private final Map<QmpType, String> names = new LinkedHashMap<>();

    List<Map<String, Object>> entities() {
        return entities;
    }

    void command(String name, QmpType takes, QmpType gives, boolean outOfBand) {
        Map<String, Object> entity = entity(name, "command");
        entity.put("arg-type", name(takes));
        entity.put("ret-type", name(gives));
        if (outOfBand) entity.put("allow-oob", true);
        entities.add(entity);
    }

    void event(String name, QmpType data) {
        Map<String, Object> entity = entity(name, "event");
        entity.put("arg-type", name(data));
        entities.add(entity);
    }

    /** A type's name; tells of the type if nobody asked for it before. */
    private String name(QmpType type) {
        String known = names.get(type);
        if (known != null) return known;
        String name =
                switch (type) {
                    case Builtin builtin -> builtin.wireName();
                    case Array array -> "[" + name(array.of()) + "]";
                    default -> Integer.toString(names.size());
                };
        names.put(type, name);
        Map<String, Object> entity;
        switch (type) {
            case Builtin builtin -> {
                entity = entity(name, "builtin");
                entity.put("json-type", builtin.jsonType());
            }
            case Array array -> {
                entity = entity(name, "array");
                entity.put("element-type", name(array.of()));
            }
            case Choice choice -> {
                entity = entity(name, "enum");
                entity.put("members", choice.words().stream().map(Schema::value).toList());
                entity.put("values", choice.words());
            }
            case StringOrNull any -> {
                entity = entity(name, "alternate");
                entity.put(
                        "members",
                        List.of(Map.of("type", name(STRING)), Map.of("type", name(Builtin.NULL))));
            }
            case Struct struct -> {
                entity = entity(name, "object");
                entity.put("members", struct.members().stream().map(this::member).toList());
            }
        }
        entities.add(entity);
        return name;
    }

    private static Map<String, Object> value(String word) {
        return Map.of("name", word);
    }

    private Map<String, @Nullable Object> member(Member member) {
        Map<String, @Nullable Object> told =
                new LinkedHashMap<>(
                        Monitor.ordered("name", member.name(), "type", name(member.type())));
        if (member.optional()) told.put("default", null); // as QEMU says that it may be left out
        return told;
    }

    private static Map<String, Object> entity(String name, String metaType) {
        return Monitor.ordered("name", name, "meta-type", metaType);
    }
}
