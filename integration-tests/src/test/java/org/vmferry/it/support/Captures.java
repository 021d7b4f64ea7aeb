package org.vmferry.it.support;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/** Streams that real QEMUs wrote (10.0.2; those named so by 7.2), kept in the tree. */
public final class Captures {
    private Captures() {}

    /** Their names. */
    public static Stream<String> all() {
        return Stream.concat(machines(), Stream.of("devices-only", "block-7.2"));
    }

    /** The names of those that hold a machine, of whose sections each is known. */
    public static Stream<String> machines() {
        return Stream.of(
                "virtio-mem",
                "no-description",
                "pseries",
                "s390x",
                "s390x-7.2",
                "dirty-bitmaps",
                "background");
    }

    /**
     * One of them, unpacked; or a migration with multifd, "multifd-none" and so on: of each
     * connection, the main stream first, its length in 4 bytes and what came over it.
     */
    public static byte[] bytes(String name) throws IOException {
        String resource = "/streams/" + name + ".gz";
        try (InputStream file =
                        Objects.requireNonNull(
                                Captures.class.getResourceAsStream(resource), resource);
                InputStream unpacked = new GZIPInputStream(file)) {
            return unpacked.readAllBytes();
        }
    }
}
