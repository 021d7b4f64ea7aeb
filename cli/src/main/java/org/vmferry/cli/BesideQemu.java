package org.vmferry.cli;

import picocli.CommandLine.Option;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the benches have that measure a QEMU, too. */
abstract class BesideQemu extends BenchAction {
    @Option(
            names = "--qemu",
            defaultValue = "qemu-system-x86_64",
            paramLabel = "BINARY",
            description = "Without it vmferry is measured alone (default: ${DEFAULT-VALUE}).")
    private String qemu;

    @Override
    String qemu() throws IOException {
        if (find(qemu)) return qemu;
        remark("no " + qemu + " here: vmferry is measured alone");
        return null;
    }

    private static boolean find(String program) {
        if (program.contains("/")) return Files.isExecutable(Path.of(program));
        for (String directory : System.getenv("PATH").split(File.pathSeparator))
            if (Files.isExecutable(Path.of(directory, program))) return true;
        return false;
    }
}
