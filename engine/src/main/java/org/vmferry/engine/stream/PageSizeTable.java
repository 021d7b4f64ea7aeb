package org.vmferry.engine.stream;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Which machines have which page (rule STR-16). Where targets with different pages have machines of
 * one name, the name of the machine's RAM tells them apart. A resource, which a test of the stress
 * profile makes from what each QEMU tells.
 */
public final class PageSizeTable {
    /** Where it lies, beside this class. */
    public static final String RESOURCE = "page-sizes.txt";

    private PageSizeTable() {}

    /**
     * Looks a machine up by its name alone.
     *
     * @param machine as the stream names it
     * @return bytes; empty if no machine of that name is known, or several with different pages
     */
    public static OptionalInt of(String machine) {
        return of(machine, Set.of());
    }

    /**
     * Looks a machine up.
     *
     * @param machine as the stream names it
     * @param blocks the names of its RAM blocks, as far as they are known
     * @return bytes; empty if no such machine is known
     */
    public static OptionalInt of(String machine, Set<String> blocks) {
        try (InputStream in =
                        Objects.requireNonNull(
                                PageSizeTable.class.getResourceAsStream(RESOURCE), RESOURCE);
                BufferedReader lines =
                        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("#")) continue;
                String[] words = line.split(" "); // size, machine, and perhaps its RAM
                if (!matches(machine, words[1])) continue;
                if (words.length == 2 || blocks.contains(words[2])) {
                    return OptionalInt.of(Integer.parseInt(words[0]));
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
