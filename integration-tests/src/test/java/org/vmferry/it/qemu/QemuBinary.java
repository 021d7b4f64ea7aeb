package org.vmferry.it.qemu;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A QEMU on this machine.
 *
 * @param path the program
 * @param major the version's first number
 * @param minor the version's second number
 */
public record QemuBinary(Path path, int major, int minor) {

    /** The lowest major version that counts as current. */
    public static final int CURRENT_MAJOR = 10;

    private static final String NAME = "qemu-system-x86_64";
    private static final Pattern VERSION = Pattern.compile("version (\\d+)\\.(\\d+)");

    /**
     * The QEMU of version 10 or later: the file that the environment's {@code VMFERRY_QEMU} names,
     * or else the one on the path.
     */
    public static Optional<QemuBinary> current() {
        String named = System.getenv("VMFERRY_QEMU");
        Stream<Path> candidates =
                named != null
                        ? Stream.of(Path.of(named))
                        : Stream.of(System.getenv("PATH").split(File.pathSeparator))
                                .map(folder -> Path.of(folder, NAME));
        return candidates
                .filter(Files::isExecutable)
                .findFirst()
                .flatMap(QemuBinary::probe)
                .filter(qemu -> qemu.major >= CURRENT_MAJOR);
    }

    /**
     * The old QEMU, 7.2, in the folder that the environment's {@code VMFERRY_QEMU_OLD} names, or
     * else in /opt/vmferry-qemu-7.2.
     */
    public static Optional<QemuBinary> old() {
        String folder = System.getenv("VMFERRY_QEMU_OLD");
        Path path = Path.of(folder != null ? folder : "/opt/vmferry-qemu-7.2", "usr/bin", NAME);
        return Optional.of(path).filter(Files::isExecutable).flatMap(QemuBinary::probe);
    }

    /**
     * The one beside it of another target, such as {@code sparc64}.
     *
     * @throws IllegalStateException if it is not there
     */
    public QemuBinary target(String name) {
        Path other = path.resolveSibling("qemu-system-" + name);
        if (!Files.isExecutable(other)) throw new IllegalStateException("There is no " + other);
        return new QemuBinary(other, major, minor);
    }

    /** Whether this version or a later one. */
    public boolean atLeast(int wantedMajor, int wantedMinor) {
        return major > wantedMajor || (major == wantedMajor && minor >= wantedMinor);
    }

    /** Empty if the program does not even tell its version. */
    private static Optional<QemuBinary> probe(Path path) {
        try {
            Process process =
                    new ProcessBuilder(path.toString(), "--version")
                            .redirectErrorStream(true)
                            .start();
            String text =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly();
            Matcher version = VERSION.matcher(text);
            if (!version.find()) return Optional.empty();
            return Optional.of(
                    new QemuBinary(
                            path,
                            Integer.parseInt(version.group(1)),
                            Integer.parseInt(version.group(2))));
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
