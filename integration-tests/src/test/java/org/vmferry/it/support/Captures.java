package org.vmferry.it.support;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.zip.GZIPInputStream;

/** Streams that real QEMUs wrote (10.0.2; those named so by 7.2), kept in the tree. */
public final class Captures {
    private Captures() {}

    /** One of them, unpacked. */
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
