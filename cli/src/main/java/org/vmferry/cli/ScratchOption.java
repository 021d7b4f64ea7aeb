package org.vmferry.cli;

import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where a machine is kept on its way. */
final class ScratchOption {
    @Option(
            names = "--scratch",
            paramLabel = "DIR",
            description =
                    "Where to keep the machine on its way (default: beside the output, if that is a"
                            + " file, else the folder for temporary files).")
    private Path folder;

    /** Where, if nothing is written. */
    Path folder() {
        return folder != null ? folder : Path.of(System.getProperty("java.io.tmpdir"));
    }

    /** Where, if this is written. */
    Path beside(Path output) throws IOException {
        boolean there = Files.exists(output);
        if (folder != null || there && !Files.isRegularFile(output)) return folder();
        Path parent = (there ? output.toRealPath() : output.toAbsolutePath()).getParent();
        return parent == null ? Path.of("/") : parent;
    }
}
