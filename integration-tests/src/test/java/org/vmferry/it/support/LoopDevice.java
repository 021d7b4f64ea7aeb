package org.vmferry.it.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A block device over a file. Where the system gives none the test is left out, and says so.
 *
 * @param path of its node
 */
public record LoopDevice(Path path) implements AutoCloseable {
    /** Makes one over a new sparse file. */
    public static LoopDevice over(Path file, long bytes) throws Exception {
        try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(bytes);
        }
        return new LoopDevice(Path.of(run("losetup", "--find", "--show", file.toString())));
    }

    /** Another node of the same device. */
    public Path secondNode(Path at) throws Exception {
        long number = ((Number) Files.getAttribute(path, "unix:rdev")).longValue();
        run(
                "mknod",
                at.toString(),
                "b",
                Long.toString(number >>> 8 & 0xfff),
                Long.toString(number & 0xff));
        return at;
    }

    private static String run(String... command) throws Exception {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            assumeTrue(false, "no loop devices here: " + e.getMessage());
            throw e;
        }
        String said = new String(process.getInputStream().readAllBytes()).strip();
        if (!process.waitFor(20, TimeUnit.SECONDS)) process.destroyForcibly();
        assumeTrue(process.waitFor() == 0, "no loop devices here: " + said);
        return said;
    }

    @Override
    public void close() throws Exception {
        assertThat(Mounted.run("losetup", "--detach", path.toString())).isNull();
    }
}
