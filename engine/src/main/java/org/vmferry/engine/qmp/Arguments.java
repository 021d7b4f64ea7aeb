package org.vmferry.engine.qmp;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A JSON object that a client sent: each member is taken once, with its type checked. */
final class Arguments {
    private final String path;
    private final Map<String, Object> left;

    private Arguments(String path, Map<?, ?> members) {
        this.path = path;
        this.left = new LinkedHashMap<>();
        members.forEach((name, value) -> left.put((String) name, value));
    }

    static Arguments of(Map<?, ?> members) {
        return new Arguments("", members);
    }

    String string(String name) throws Refusal {
        return optionalString(name).orElseThrow(() -> missing(name));
    }

    Optional<String> optionalString(String name) throws Refusal {
        return take(name, String.class, "string");
    }

    boolean bool(String name) throws Refusal {
        return take(name, Boolean.class, "boolean").orElseThrow(() -> missing(name));
    }

    boolean bool(String name, boolean absent) throws Refusal {
        return take(name, Boolean.class, "boolean").orElse(absent);
    }

    List<?> list(String name) throws Refusal {
        return optionalList(name).orElseThrow(() -> missing(name));
    }

    Optional<List<?>> optionalList(String name) throws Refusal {
        return take(name, List.class, "array").map(list -> (List<?>) list);
    }

    List<Arguments> objects(String name) throws Refusal {
        List<Arguments> objects = new ArrayList<>();
        for (Object element : list(name)) {
            String place = path + name + "[" + objects.size() + "]";
            if (!(element instanceof Map<?, ?> members)) throw wrongType(place, "object");
            objects.add(new Arguments(place + ".", members));
        }
        return objects;
    }

    /** What nobody took yet; takes it. */
    Map<String, Object> rest() {
        Map<String, Object> rest = new LinkedHashMap<>(left);
        left.clear();
        return rest;
    }

    /** Refuses what nobody took. */
    void end() throws Refusal {
        for (String name : left.keySet()) {
            throw Refusal.generic("Parameter '%s%s' is unexpected", path, name);
        }
    }

    private <T> Optional<T> take(String name, Class<T> type, String called) throws Refusal {
        if (!left.containsKey(name)) return Optional.empty();
        Object value = left.remove(name);
        if (!type.isInstance(value)) throw wrongType(path + name, called);
        return Optional.of(type.cast(value));
    }

    private Refusal missing(String name) {
        return Refusal.generic("Parameter '%s%s' is missing", path, name);
    }

    static Refusal wrongType(String place, String called) {
        return Refusal.generic("Invalid parameter type for '%s', expected: %s", place, called);
    }
}
