package org.vmferry.spi.machine;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * Keeps everything of a machine but its RAM, as a source sent it, and gives it back. Behind a
 * {@link MachineArchive}, which cannot, and need not, understand the devices of a QEMU.
 */
@Status(Status.Level.STABLE)
public interface SectionStore {
    /**
     * A section, or a part of one that goes on while the guest runs. RAM's START, the first of its
     * parts and its END stand among the others, named {@code ram} and without payload: they say
     * when those came. Where parts {@link Kind#AS_IS} stand in the list, START has one: RAM's
     * number in the stream, 4 bytes, which those parts may name.
     *
     * @param kind which part of a section it is
     * @param id the device's name
     * @param instance tells devices of one name apart
     * @param version of its payload
     * @param payload its bytes, as on the wire
     */
    @Status(Status.Level.STABLE)
    record Section(Kind kind, String id, int instance, int version, ByteBuffer payload) {
        /** Refuses null. */
        public Section {
            Objects.requireNonNull(kind, "kind");
            Objects.requireNonNull(id, "id");
            Objects.requireNonNull(payload, "payload");
        }

        /** Whole, or a part of one. */
        @Status(Status.Level.STABLE)
        public enum Kind {
            /** It begins, and goes on while the guest runs. */
            START,
            /** More of one that has begun. */
            PART,
            /** The last of one that has begun. */
            END,
            /** All of one at once. */
            FULL,
            /**
             * Parts of sections of which nobody knows where each ends, one behind another; named
             * after the first. The payload has their marks, numbers and footers, too, and is
             * written as it is.
             */
            AS_IS
        }

        /**
         * A whole section.
         *
         * @param id the device's name
         * @param instance tells devices of one name apart
         * @param version of its payload
         * @param payload its bytes, as on the wire
         */
        public Section(String id, int instance, int version, ByteBuffer payload) {
            this(Kind.FULL, id, instance, version, payload);
        }
    }

    /**
     * A part of the configuration beyond the machine's name.
     *
     * @param name such as {@code configuration/capabilities}
     * @param version of its payload
     * @param payload its bytes
     */
    @Status(Status.Level.STABLE)
    record Subsection(String name, int version, byte[] payload) {
        /** Refuses null. */
        public Subsection {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(payload, "payload");
        }
    }

    /**
     * What the CONFIGURATION section says.
     *
     * @param machine the machine's type
     * @param subsections in wire order; those which depend on the migration's capabilities are
     *     written anew when the machine is sent on
     */
    @Status(Status.Level.STABLE)
    record Configuration(String machine, List<Subsection> subsections) {
        /** Refuses null. */
        public Configuration {
            Objects.requireNonNull(machine, "machine");
            Objects.requireNonNull(subsections, "subsections");
        }
    }

    /**
     * Something that a snapshot's file says beside QEMU's format (docs/wire/trailer.md).
     *
     * @param key such as {@code uuid}
     * @param value the rest of its line
     */
    @Status(Status.Level.STABLE)
    record Fact(String key, String value) {
        /** Refuses null. */
        public Fact {
            Objects.requireNonNull(key, "key");
            Objects.requireNonNull(value, "value");
        }
    }

    /**
     * Takes the configuration.
     *
     * @param configuration as it came
     * @throws IOException if it cannot be kept
     */
    void keep(Configuration configuration) throws IOException;

    /**
     * Takes a section, or a part of one; called in wire order.
     *
     * @param section its payload is valid during the call only
     * @throws IOException if it cannot be kept
     */
    void keep(Section section) throws IOException;

    /**
     * Takes the VMDESCRIPTION, last of all.
     *
     * @param json as it came; empty if none did
     * @throws IOException if it cannot be kept
     */
    void keepDescription(byte[] json) throws IOException;

    /**
     * Gives the configuration back.
     *
     * @return as kept
     * @throws IOException if it cannot be read
     */
    Configuration configuration() throws IOException;

    /**
     * Gives the sections back.
     *
     * @return in wire order; payloads are valid as long as the store keeps them
     * @throws IOException if they cannot be read
     */
    Iterable<Section> sections() throws IOException;

    /**
     * Gives the VMDESCRIPTION back.
     *
     * @return as kept
     * @throws IOException if it cannot be read
     */
    byte[] description() throws IOException;

    /**
     * A file holds less of a machine than it should, or what can't be told apart. Whoever wants
     * what is there returns: RAM has come as far as it is there, and so have those sections that
     * were kept. By default this fails the load.
     *
     * @param why what is lost
     * @throws MigrationException that one, if the machine is of no use without it
     */
    default void lost(MigrationException why) throws MigrationException {
        throw why;
    }

    /**
     * Takes what the file said beside all this; only from a file that says something. By default it
     * is forgotten.
     *
     * @param facts in the file's order, those too whose keys nobody here knows
     * @throws IOException if they cannot be kept
     */
    default void keepFacts(List<Fact> facts) throws IOException {}

    /**
     * Gives back what the file said.
     *
     * @return as kept
     * @throws IOException if it cannot be read
     */
    default List<Fact> facts() throws IOException {
        return List.of();
    }

    /**
     * Where sections may lie until it is known where each one ends, if they are too much for the
     * heap. What is there has no name, and is gone with the load.
     *
     * @return a folder with room for them; by default that for temporary files
     */
    default Path scratch() {
        return Path.of(System.getProperty("java.io.tmpdir"));
    }
}
