package org.vmferry.engine.stream;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * Which machines have which page, where only one target has a machine of that name (rule STR-16). A
 * resource, which a test of the stress profile makes from what each QEMU tells.
 */
public final class PageSizeTable {
    /** Where it lies, beside this class. */
    public static final String RESOURCE = "page-sizes.txt";

    private PageSizeTable() {}

    /**
     * Looks a machine up.
     *
     * @param machine as the stream names it
     * @return bytes; empty if no machine of that name is known, or several with different pages
     */
    public static OptionalInt of(String machine) {
        try (InputStream in =
                        Objects.requireNonNull(
                                PageSizeTable.class.getResourceAsStream(RESOURCE), RESOURCE);
                BufferedReader lines =
                        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                int space = line.indexOf(' ');
                if (line.startsWith("#") || space < 0) continue;
                if (matches(machine, line.substring(space + 1))) {
                    return OptionalInt.of(Integer.parseInt(line.substring(0, space)));
                }
            }
            return OptionalInt.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean matches(String machine, String pattern) {
        int last = pattern.length() - 1;
        return pattern.charAt(last) == '*'
                ? machine.startsWith(pattern.substring(0, last))
                : machine.equals(pattern);
    }
}
