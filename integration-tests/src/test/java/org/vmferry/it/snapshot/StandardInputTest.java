package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.FullMachine;
import org.vmferry.it.support.Launched;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Snapshots that come through standard input. */
@Timeout(120)
class StandardInputTest {
    private static final int GUEST = 4 << 20;

    @TempDir Path directory;
    private final Commands command = new Commands();
    private final FullMachine machine = new FullMachine(GUEST, RunState.PAUSED);
    private Path stream;

    @BeforeEach
    void snapshot() throws Exception {
        stream = directory.resolve("stream");
        machine.saved(stream, "stream");
    }

    private static void pipe(Path file, Launched to) throws Exception {
        try (OutputStream in = to.in()) {
            Files.copy(file, in);
        }
    }

    private byte[] ram(Path snapshot) throws Exception {
        Path raw = directory.resolve("raw");
        assertThat(command.run("extract", snapshot, "--block", FullMachine.BLOCK, "-o", raw))
                .as(command.err())
                .isZero();
        return Files.readAllBytes(raw);
    }

    @Test
    void aStreamIsConvertedOutOfAPipe() throws Exception {
        Path out = directory.resolve("converted");
        try (Launched convert =
                Launched.reading(
                        Redirect.PIPE, directory, "convert", "-", out, "--format", "mapped-ram")) {
            pipe(stream, convert);
            assertThat(convert.end(60)).as(convert.err()).isZero();
        }
        assertThat(ram(out)).isEqualTo(machine.ram.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void aBlockIsExtractedOutOfAPipe() throws Exception {
        Path raw = directory.resolve("out-of-a-pipe");
        Files.write(raw, new byte[] {1}); // replaced, with all of it
        assertThat(extract(FullMachine.BLOCK, raw)).isEmpty();
        assertThat(Files.readAllBytes(raw)).isEqualTo(machine.ram.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void aBlockThatIsNotThereIsNotExtracted() throws Exception {
        Path raw = directory.resolve("none");
        assertThat(extract("absent", raw))
                .contains("no RAM block 'absent' in it, but '" + FullMachine.BLOCK + "'");
        assertThat(extract(FullMachine.BLOCK, raw, "--rescue")).contains("without --rescue");
        assertThat(raw).doesNotExist();
        assertThat(directory).isDirectoryNotContaining("glob:**vmferry*");
    }

    /** What it says when it fails; nothing if it doesn't. */
    private String extract(String block, Path raw, Object... more) throws Exception {
        List<Object> line = new ArrayList<>(List.of("extract", "-", "--block", block, "-o", raw));
        line.addAll(List.of(more));
        try (Launched extract = Launched.reading(Redirect.PIPE, directory, line.toArray())) {
            try {
                pipe(stream, extract);
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("pipe"); // it did not wait for the rest
            }
            return extract.end(60) == 0 ? "" : extract.err();
        }
    }

    /** The text behind the stream is read again what stands before it. */
    @Test
    void aStreamIsVerifiedOutOfAPipe() throws Exception {
        try (Launched verify = Launched.reading(Redirect.PIPE, directory, "verify", "-")) {
            pipe(stream, verify);
            assertThat(verify.end(60)).as(verify.err()).isZero();
            assertThat(verify.out()).startsWith("standard input: sound: a snapshot as a plain");
        }
    }

    @Test
    void aCutOneIsNotSound() throws Exception {
        byte[] all = Files.readAllBytes(stream);
        try (Launched verify = Launched.reading(Redirect.PIPE, directory, "verify", "-")) {
            try (OutputStream in = verify.in()) {
                in.write(all, 0, all.length / 2);
            }
            assertThat(verify.end(60)).isEqualTo(1);
            assertThat(verify.err()).contains("the stream ends at " + all.length / 2);
        }
    }

    @Test
    void aFileIsReadAtAnyPlace() throws Exception {
        Path mapped = directory.resolve("mapped");
        machine.saved(mapped, "mapped-ram");
        Path raw = directory.resolve("out-of-input");
        try (Launched extract =
                Launched.reading(
                        Redirect.from(mapped.toFile()),
                        directory,
                        "extract",
                        "-",
                        "--block",
                        FullMachine.BLOCK,
                        "-o",
                        raw)) {
            assertThat(extract.end(60)).as(extract.err()).isZero();
        }
        assertThat(Files.readAllBytes(raw)).isEqualTo(machine.ram.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void whatNeedsAFileSaysSo() throws Exception {
        Path mapped = directory.resolve("mapped");
        machine.saved(mapped, "mapped-ram");
        try (Launched inspect = Launched.reading(Redirect.PIPE, directory, "inspect", "-")) {
            try (OutputStream in = inspect.in()) {
                Files.copy(mapped, in);
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("pipe"); // it did not wait for the rest
            }
            assertThat(inspect.end(60)).isEqualTo(1);
            assertThat(inspect.err()).contains("standard input is a pipe: write it to a file");
        }
    }

    @Test
    void nobodyHasToWaitForASilentPipe() throws Exception {
        try (Launched verify = Launched.reading(Redirect.PIPE, directory, "verify", "-");
                OutputStream in = verify.in()) {
            in.write(Files.readAllBytes(stream), 0, 1000);
            in.flush();
            verify.awaitIdle();
            verify.signal("TERM");
            assertThat(verify.end(15)).isNotZero();
            assertThat(verify.err()).doesNotContain("cleaning up");
        }
    }
}
