package org.vmferry.engine.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The descriptors that this process has open. */
public final class Descriptors {
    private Descriptors() {}

    /** Of files whose name contains a text; sockets are called "socket:[number]". */
    public static List<String> open(String text) throws IOException {
        List<String> found = new ArrayList<>();
        try (var entries = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path entry : entries) {
                try {
                    String name = Files.readSymbolicLink(entry).toString();
                    if (name.contains(text)) found.add(name);
                } catch (IOException e) {
                    // The directory's own descriptor, or one closed meanwhile.
                }
            }
        }
        return found;
    }
}
