package org.vmferry.it.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;

/** A block device over a file. Needs root. */
public final class Device implements AutoCloseable {
    private final Path path;

    /** A device of so many bytes, over a sparse file. */
    public Device(Path image, long bytes) throws IOException, InterruptedException {
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(bytes);
        }
        Process losetup =
                new ProcessBuilder("losetup", "--find", "--show", image.toString())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(losetup.getInputStream().readAllBytes()).strip();
        assumeTrue(
                losetup.waitFor() == 0,
                () -> "this test needs a loop device, which is refused here: " + said);
        path = Path.of(said);
    }

    /** Where it is. */
    public Path path() {
        return path;
    }

    @Override
    public void close() throws IOException, InterruptedException {
        assertThat(Mounted.run("losetup", "--detach", path.toString())).isNull();
    }
}
