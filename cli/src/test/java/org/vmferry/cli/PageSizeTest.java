package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Inspection;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.zip.GZIPInputStream;

/** Streams that QEMU 10.0 wrote for targets whose page is not 4 KiB, and that don't say so. */
@Tag("STR-16")
class PageSizeTest {
    @TempDir Path folder;
    private final StringWriter err = new StringWriter();

    private int run(Object... arguments) {
        err.getBuffer().setLength(0);
        return Main.commandLine()
                .setOut(new PrintWriter(new StringWriter()))
                .setErr(new PrintWriter(err))
                .execute(Arrays.stream(arguments).map(Object::toString).toArray(String[]::new));
    }

    private static byte[] captured(String name) throws IOException {
        String resource = "pages/" + name + ".stream.gz";
        try (InputStream in =
                new GZIPInputStream(
                        Objects.requireNonNull(
                                PageSizeTest.class.getResourceAsStream(resource), resource))) {
            return in.readAllBytes();
        }
    }

    private Path file(String name) throws IOException {
        return Files.write(folder.resolve(name + ".stream"), captured(name));
    }

    /** The same of a machine that nobody knows: its name has another first letter. */
    private Path unknown(String name) throws IOException {
        byte[] bytes = captured(name);
        bytes[13] = 'X';
        return Files.write(folder.resolve(name + ".unknown"), bytes);
    }

    private static Inspection look(Path file) throws IOException {
        return Engine.create().inspect("file:" + file);
    }

    @ParameterizedTest
    @CsvSource({"avr,256", "microbit,1024", "or1k,8192", "tricore,16384"})
    @Tag("RAM-3")
    void aMachinesNameTellsAndTheFileGoesThroughEveryCommand(String name, int page)
            throws IOException {
        Path file = file(name);
        assertThat(look(file).pageSize()).isEqualTo(page);
        assertThat(run("verify", file)).as(err.toString()).isZero();
        Path mapped = folder.resolve("mapped");
        assertThat(run("convert", file, mapped, "--format", "mapped-ram")).as("%s", err).isZero();
        assertThat(look(mapped).pageSize()).isEqualTo(page);
        assertThat(run("verify", mapped)).as(err.toString()).isZero();
        Path back = folder.resolve("back");
        assertThat(run("convert", mapped, back, "--format", "stream")).as("%s", err).isZero();
        for (Inspection.Block block : look(file).blocks()) {
            assertThat(extract(back, block.id()))
                    .isEqualTo(extract(mapped, block.id()))
                    .isEqualTo(extract(file, block.id()));
        }
        Path received = folder.resolve("received");
        assertThat(run("receive", "file:" + file, "-o", received)).as("%s", err).isZero();
        assertThat(look(received).pageSize()).isEqualTo(page);
    }

    private byte[] extract(Path file, String block) throws IOException {
        Path raw = folder.resolve("raw");
        Files.deleteIfExists(raw);
        assertThat(run("extract", file, "--block", block, "-o", raw)).as("%s", err).isZero();
        return Files.readAllBytes(raw);
    }

    @ParameterizedTest
    @CsvSource({"microbit,1024", "or1k,8192", "tricore,16384"})
    void theRecordsOfAnUnknownMachineTell(String name, int page) throws IOException {
        assertThat(look(unknown(name)).pageSize()).isEqualTo(page);
        assertThat(run("verify", unknown(name))).as(err.toString()).isZero();
    }

    @Test
    void whereAllIsZeroItIsAskedForAndAWrongAnswerIsFoundOut() throws IOException {
        Path file = unknown("zeros");
        assertThat(run("verify", file)).isEqualTo(1);
        assertThat(err.toString()).contains("Xicrobit", "--page-size");
        Path out = folder.resolve("out");
        for (String command : new String[] {"verify", "inspect"}) {
            assertThat(run(command, file, "--page-size", "512")).isEqualTo(1);
            assertThat(err.toString()).contains("1024", "512", "VMDESCRIPTION");
        }
        assertThat(run("receive", "file:" + file, "-o", out, "--page-size", "512")).isEqualTo(1);
        assertThat(err.toString()).contains("--page-size", "to 1024");
        assertThat(out).doesNotExist();
        assertThat(run("verify", file, "--page-size", "1024")).as("%s", err).isZero();
        assertThat(run("verify", file, "--page-size", "100")).isEqualTo(1);
        assertThat(err.toString()).contains("power of two from 256 to 65536");
    }

    /** A name that stands in the table, over RAM of another target. */
    @Test
    void aWrongNameIsFoundOut() throws IOException {
        byte[] bytes = captured("avr");
        byte[] name = "raspi0".getBytes(StandardCharsets.UTF_8);
        int old = bytes[12];
        byte[] renamed = new byte[bytes.length - old + name.length];
        System.arraycopy(bytes, 0, renamed, 0, 13);
        renamed[12] = (byte) name.length;
        System.arraycopy(name, 0, renamed, 13, name.length);
        System.arraycopy(bytes, 13 + old, renamed, 13 + name.length, bytes.length - 13 - old);
        Path file = Files.write(folder.resolve("renamed"), renamed);
        assertThat(run("verify", file)).isEqualTo(1);
    }
}
