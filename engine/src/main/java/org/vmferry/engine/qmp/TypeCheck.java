package org.vmferry.engine.qmp;

import org.jspecify.annotations.Nullable;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.qmp.QmpType.Array;
import org.vmferry.engine.qmp.QmpType.Builtin;
import org.vmferry.engine.qmp.QmpType.Choice;
import org.vmferry.engine.qmp.QmpType.Member;
import org.vmferry.engine.qmp.QmpType.StringOrNull;
import org.vmferry.engine.qmp.QmpType.Struct;

import java.math.BigInteger;
import java.util.List;
import java.util.Map;

/** Holds what a client said, or a host's command answered, against its type. */
final class TypeCheck {
    private TypeCheck() {}

    /** Refuses a value that is none of a type, and names the place in it that is wrong. */
    static void check(QmpType type, @Nullable Object value, String place) throws Refusal {
        switch (type) {
            case Builtin builtin -> require(has(builtin, value), place, builtin.jsonType());
            case StringOrNull any -> require(value == null || isText(value), place, "string");
            case Choice choice -> {
                require(isText(value), place, "string");
                if (!choice.words().contains(String.valueOf(value))) {
                    throw Refusal.generic(
                            "Parameter '%s' does not accept value '%s'", place, value);
                }
            }
            case Array array -> {
                if (!(value instanceof List<?> elements)) throw wrong(place, "array");
                int i = 0;
                for (Object element : elements) {
                    check(array.of(), element, place + "[" + i++ + "]");
                }
            }
            case Struct struct -> {
                if (!(value instanceof Map<?, ?> members)) throw wrong(place, "object");
                check(struct, members, place.isEmpty() ? "" : place + ".");
            }
        }
    }

    private static void check(Struct struct, Map<?, ?> members, String place) throws Refusal {
        for (Member member : struct.members()) {
            String name = member.name();
            if (members.containsKey(name)) {
                check(member.type(), members.get(name), place + name);
            } else if (!member.optional()) {
                throw Refusal.missing(place + name);
            }
        }
        for (Object name : members.keySet()) {
            if (struct.members().stream().noneMatch(member -> member.name().equals(name))) {
                throw Refusal.generic("Parameter '%s%s' is unexpected", place, name);
            }
        }
    }

    private static boolean has(Builtin type, @Nullable Object value) {
        return switch (type) {
            case STRING -> isText(value);
            case INTEGER -> value instanceof Number number && isWhole(number);
            case NUMBER -> value instanceof Number || value instanceof Json.Written;
            case BOOLEAN -> value instanceof Boolean;
            case NULL -> value == null;
            case ANY -> true;
        };
    }

    private static boolean isText(@Nullable Object value) {
        return value instanceof CharSequence;
    }

    /** As much as QEMU's integers hold. */
    private static boolean isWhole(Number number) {
        return number instanceof Long
                || number instanceof Integer
                || number instanceof BigInteger big && big.signum() > 0 && big.bitLength() <= 64;
    }

    private static void require(boolean fits, String place, String called) throws Refusal {
        if (!fits) throw wrong(place, called);
    }

    private static Refusal wrong(String place, String called) {
        return Refusal.generic(
                "Invalid parameter type for '%s', expected: %s",
                place.isEmpty() ? "arguments" : place, called);
    }
}
