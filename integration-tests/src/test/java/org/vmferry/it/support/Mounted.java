package org.vmferry.it.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Something mounted for a test: a small disk, or a file over another one. Needs root. */
public final class Mounted implements AutoCloseable {
    private static final long SMALLEST_BTRFS = 128 << 20;

    private final Path at;

    private Mounted(Path at, String... mount) throws IOException, InterruptedException {
        this.at = at;
        String said = run(mount);
        assumeTrue(said == null, () -> "this test mounts, which is refused here: " + said);
    }

    /** A file system of so many MiB in memory. */
    public static Mounted disk(Path at, int mebibytes) throws IOException, InterruptedException {
        Files.createDirectories(at);
        String size = "size=" + mebibytes + "m";
        return new Mounted(at, "mount", "-t", "tmpfs", "-o", size, "tmpfs", at.toString());
    }

    /** The same, from which no program is started nor library loaded. */
    public static Mounted withoutPrograms(Path at) throws IOException, InterruptedException {
        Files.createDirectories(at);
        String options = "noexec,size=8m";
        return new Mounted(at, "mount", "-t", "tmpfs", "-o", options, "tmpfs", at.toString());
    }

    /** A large file system of which so many MiB may be used. */
    public static Mounted quota(Path at, int mebibytes) throws IOException, InterruptedException {
        Files.createDirectories(at);
        Path image = at.resolveSibling(at.getFileName() + ".btrfs");
        try (FileChannel file = FileChannel.open(image, CREATE, WRITE)) {
            file.write(ByteBuffer.allocate(1), SMALLEST_BTRFS - 1);
        }
        String refused = run("mkfs.btrfs", "-q", image.toString());
        assumeTrue(refused == null, () -> "this test makes a btrfs, and can't: " + refused);
        Mounted mounted = new Mounted(at, "mount", "-o", "loop", image.toString(), at.toString());
        try {
            assertThat(run("btrfs", "quota", "enable", at.toString())).isNull();
            assertThat(run("btrfs", "qgroup", "limit", mebibytes + "M", "0/5", at.toString()))
                    .isNull();
            return mounted;
        } catch (AssertionError | IOException | InterruptedException e) {
            mounted.close();
            throw e;
        }
    }

    /** One file or folder over another. */
    public static Mounted over(Path at, Path source) throws IOException, InterruptedException {
        return new Mounted(at, "mount", "--bind", source.toString(), at.toString());
    }

    /** A folder that nobody writes to. */
    public static Mounted readOnly(Path at) throws IOException, InterruptedException {
        Mounted mounted = over(at, at);
        try {
            assertThat(run("mount", "-o", "remount,bind,ro", at.toString())).isNull();
            return mounted;
        } catch (AssertionError | IOException | InterruptedException e) {
            mounted.close();
            throw e;
        }
    }

    /** What a command says when it fails; null if it works. */
    public static String run(String... command) throws IOException, InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder(List.of(command)).redirectErrorStream(true).start();
        } catch (IOException e) {
            return e.getMessage();
        }
        String said = new String(process.getInputStream().readAllBytes()).strip();
        return process.waitFor() == 0 ? null : said;
    }

    public Path at() {
        return at;
    }

    @Override
    public void close() {
        try {
            assertThat(run("umount", at.toString())).isNull();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
