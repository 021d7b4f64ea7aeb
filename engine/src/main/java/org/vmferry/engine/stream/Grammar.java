package org.vmferry.engine.stream;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * How the payload of a section that goes on while the guest runs tells its own end (rule STR-20).
 * What its guest writes into it can't be taken for an end: nothing is looked for.
 */
interface Grammar {
    /**
     * Reads one payload: of START, PART or END.
     *
     * @param in behind the head; then before the footer
     */
    void read(Payload in, int mark) throws IOException;

    /** The names of those that are known. */
    List<String> NAMES = List.of(HashTable.NAME, StorageAttributes.NAME, DirtyBitmap.NAME);

    /** The longest of the names. */
    int LONGEST_NAME = NAMES.stream().mapToInt(String::length).max().getAsInt();

    /** That of a section; empty if it is not known. */
    static Optional<Grammar> of(String name) {
        return switch (name) {
            case HashTable.NAME -> Optional.of(new HashTable());
            case StorageAttributes.NAME -> Optional.of(new StorageAttributes());
            case DirtyBitmap.NAME -> Optional.of(new DirtyBitmap());
            default -> Optional.empty();
        };
    }
}
