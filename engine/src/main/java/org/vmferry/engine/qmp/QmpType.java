package org.vmferry.engine.qmp;

import org.vmferry.spi.Status;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What a QMP command takes or answers, as {@code query-qmp-schema} tells it. Immutable; any thread.
 */
@Status(Status.Level.EXPERIMENTAL)
public sealed interface QmpType {
    /** An object without members: what a command takes that takes nothing. */
    Struct NOTHING = new Struct(List.of());

    /** Types without parts. Beside each stands the Java type that a command is handed. */
    @Status(Status.Level.EXPERIMENTAL)
    enum Builtin implements QmpType {
        /** Text: {@code String}. */
        STRING("str", "string"),
        /** A whole number, signed or not: {@code Long}, {@code BigInteger} above its range. */
        INTEGER("int", "int"),
        /** A whole number as {@code Long} or {@code BigInteger}, another as some {@code Number}. */
        NUMBER("number", "number"),
        /** {@code Boolean}. */
        BOOLEAN("bool", "boolean"),
        /** JSON's null. */
        NULL("null", "null"),
        /** Whatever JSON has. */
        ANY("any", "value");

        private final String wireName;
        private final String jsonType;

        Builtin(String wireName, String jsonType) {
            this.wireName = wireName;
            this.jsonType = jsonType;
        }

        /**
         * The schema's name of it.
         *
         * @return as in QEMU
         */
        public String wireName() {
            return wireName;
        }

        /**
         * How it looks in JSON.
         *
         * @return the schema's word for it
         */
        public String jsonType() {
            return jsonType;
        }
    }

    /**
     * One of several words: {@code String}.
     *
     * @param words what is allowed
     */
    @Status(Status.Level.EXPERIMENTAL)
    record Choice(List<String> words) implements QmpType {
        /** Copies. */
        public Choice {
            words = List.copyOf(Objects.requireNonNull(words, "words"));
        }
    }

    /** Text, or null, which takes back what was set. */
    @Status(Status.Level.EXPERIMENTAL)
    record StringOrNull() implements QmpType {}

    /**
     * An array: {@code List}.
     *
     * @param of the type of its elements
     */
    @Status(Status.Level.EXPERIMENTAL)
    record Array(QmpType of) implements QmpType {
        /** Refuses null. */
        public Array {
            Objects.requireNonNull(of, "of");
        }
    }

    /**
     * An object, a {@code Map} in the order of its text. It is made member by member: {@code
     * NOTHING.with("size", INTEGER)}.
     *
     * @param members in the order in which they are told
     */
    @Status(Status.Level.EXPERIMENTAL)
    record Struct(List<Member> members) implements QmpType {
        /** Copies. */
        public Struct {
            members = List.copyOf(Objects.requireNonNull(members, "members"));
        }

        /**
         * The same, and a member that must be there.
         *
         * @param name of the member
         * @param type of its values
         * @return a new type
         */
        public Struct with(String name, QmpType type) {
            return plus(new Member(name, type, false));
        }

        /**
         * The same, and a member that may be left out.
         *
         * @param name of the member
         * @param type of its values
         * @return a new type
         */
        public Struct withOptional(String name, QmpType type) {
            return plus(new Member(name, type, true));
        }

        private Struct plus(Member member) {
            List<Member> more = new ArrayList<>(members);
            more.add(member);
            return new Struct(more);
        }
    }

    /**
     * A member of an object.
     *
     * @param name as in JSON
     * @param type of its values
     * @param optional whether it may be left out
     */
    @Status(Status.Level.EXPERIMENTAL)
    record Member(String name, QmpType type, boolean optional) {
        /** Refuses null. */
        public Member {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(type, "type");
        }
    }
}
