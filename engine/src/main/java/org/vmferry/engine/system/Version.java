package org.vmferry.engine.system;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * Which vmferry this is. Its jar's manifest says so as well, but is lost in a jar that a host makes
 * of many, where the host's own stands in its place.
 */
public final class Version {
    private static final String CURRENT = read();

    private Version() {}

    /** The engine's; "unknown" if Maven has not put it there. */
    public static String current() {
        return CURRENT;
    }

    private static String read() {
        try (InputStream in = Version.class.getResourceAsStream("version.txt")) {
            if (in == null) return "unknown";
            String version = new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip();
            return version.startsWith("$") ? "unknown" : version;
        } catch (IOException e) {
            return "unknown";
        }
    }
}
