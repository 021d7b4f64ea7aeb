package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.OutgoingFile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class FileKillTest {
    @TempDir Path directory;

    /** Begins a snapshot and never ends. */
    static final class Child {
        public static void main(String[] arguments) throws IOException {
            OutgoingFile out =
                    new LocalFileTransport()
                            .outgoing(Address.parse("file:" + arguments[0]), Options.DEFAULTS);
            out.file(false).write(ByteBuffer.allocate(5000), 0);
            System.out.println("half way");
            while (System.in.read() >= 0) {}
        }
    }

    @Test
    void killLeavesTheOldFileAndALeftoverThatIsRecognised() throws Exception {
        Path file = directory.resolve("vm.snap");
        Process child =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                Child.class.getName(),
                                file.toString())
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try {
            assertThat(child.inputReader().readLine()).isEqualTo("half way");
            assertThatThrownBy(() -> incoming(file))
                    .hasMessageContaining("(5000 bytes, being written by process " + child.pid());
            Files.writeString(file, "old");
        } finally {
            child.destroyForcibly().waitFor(); // SIGKILL
        }
        assertThat(Files.readString(file)).isEqualTo("old");
        List<Unfinished> left = Unfinished.beside(file);
        assertThat(left).singleElement().matches(u -> !u.alive() && u.bytes() == 5000);
        Files.delete(file);
        assertThatThrownBy(() -> incoming(file))
                .hasMessageContaining("an unfinished snapshot: '" + left.getFirst().file())
                .hasMessageContaining("left by killed process " + child.pid());
        try (OutgoingFile out =
                new LocalFileTransport()
                        .outgoing(Address.parse("file:" + file), Options.DEFAULTS)) {
            out.file(false).write(ByteBuffer.wrap("new".getBytes()), 0);
            // Ours beside it is not taken for a dead one, nor does looking unlock it.
            assertThat(Unfinished.beside(file)).hasSize(2).filteredOn(u -> u.alive()).hasSize(1);
            out.complete();
        }
        assertThat(Files.readString(file)).isEqualTo("new");
        assertThat(left.getFirst().file()).as("named, not removed").exists();
    }

    @Test
    void aReusedProcessIdIsNotAlive() throws IOException {
        Path file = directory.resolve("vm");
        long me = ProcessHandle.current().pid();
        String name = Unfinished.name(file).getFileName().toString();
        String begun = name.split("-")[3]; // .vmferry-TARGET-PID-START-RANDOM.part
        Files.writeString(directory.resolve(name.replace("-" + begun + "-", "-1-")), "x");
        Files.writeString(directory.resolve(name.replace("-" + me + "-", "-x-")), "no one's");
        Files.writeString(Unfinished.name(directory.resolve("other")), "another's");
        assertThat(Unfinished.beside(file)).singleElement().matches(u -> !u.alive());
    }

    private static void incoming(Path file) throws IOException {
        new LocalFileTransport().incoming(Address.parse("file:" + file), Options.DEFAULTS).close();
    }
}
