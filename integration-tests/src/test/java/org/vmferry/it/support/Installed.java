package org.vmferry.it.support;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.spi.ToolProvider;

/** The launcher with all that it needs in a folder of its own, as if it had built it there. */
public final class Installed {
    private static final Path ROOT = Path.of(System.getProperty("vmferry.root", ".."));

    private Installed() {}

    /** Makes it from this JVM's class path. Returns its lib. */
    public static Path in(Path install) throws IOException {
        Path home = install.resolve("cli/target/dist");
        Path lib = Files.createDirectories(home.resolve("lib"));
        Files.createDirectory(home.resolve("bin"));
        Files.copy(ROOT.resolve("vmferry"), install.resolve("vmferry"));
        for (String file : new String[] {"bin/vmferry", "lib/security.properties"})
            Files.copy(ROOT.resolve("cli/src/dist").resolve(file), home.resolve(file));
        ToolProvider jar = ToolProvider.findFirst("jar").orElseThrow();
        int count = 0;
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path to = lib.resolve(count++ + ".jar");
            Path from = Path.of(entry);
            if (!Files.isDirectory(from)) {
                if (Files.exists(from)) Files.createSymbolicLink(to, from.toAbsolutePath());
                continue;
            }
            jar.run(System.out, System.err, "-cf0", to.toString(), "-C", entry, ".");
        }
        Files.createFile(home.resolve(".complete"));
        return lib;
    }
}
