package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.MemoryChannel;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;

/** More than is held in the heap, and what stands where. */
class TapeTest {
    private static final int MORE = Tape.HELD + (5 << 20) + 12_345;

    @TempDir Path folder;

    private static byte[] random(int count) {
        byte[] bytes = new byte[count];
        new Random(7).nextBytes(bytes);
        return bytes;
    }

    private static void append(Tape tape, byte[] bytes) throws IOException {
        try (StreamIn in = new StreamIn(new MemoryChannel(bytes, 100_000))) {
            tape.append(in, bytes.length - 1);
            tape.append(in.u8());
        }
    }

    /** Descriptors and mappings of this process that lead to the folder. */
    private long held() throws IOException {
        long found = 0;
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            for (Path each : (Iterable<Path>) all::iterator) {
                if (Files.isSymbolicLink(each) && leadsHere(each)) found++;
            }
        }
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return found + maps.filter(line -> line.contains(folder.toString())).count();
        }
    }

    private boolean leadsHere(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).startsWith(folder);
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }

    /** A peer that never ends fills no disk. */
    @Test
    void whatIsLongerThanMayBeIsRefused() throws IOException {
        try (Tape tape = new Tape(folder, Tape.HELD + (1 << 18))) {
            tape.begin(77);
            assertThatThrownBy(() -> append(tape, random(MORE)))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("the sections from 77 on are longer than 17039360 bytes");
        }
        assertThat(held()).isZero();
    }

    @Test
    void whatIsNotInTheHeapIsThereAllTheSame() throws IOException {
        byte[] bytes = random(MORE);
        try (Tape tape = new Tape(folder)) {
            append(tape, bytes);
            assertThat(tape.length()).isEqualTo(MORE);
            Random places = new Random(8);
            for (int i = 0; i < 2000; i++) {
                int at = places.nextInt(MORE - 4);
                assertThat(tape.get(at)).isEqualTo(bytes[at]);
                assertThat(tape.u32(at)).isEqualTo(ByteBuffer.wrap(bytes).getInt(at));
            }
            assertThat(tape.copy(0, MORE)).isEqualTo(bytes);
            assertThat(tape.copy(1_000_001, 3_000_003))
                    .isEqualTo(Arrays.copyOfRange(bytes, 1_000_001, 3_000_003));
            ByteBuffer some = tape.slice(99, MORE - 7);
            assertThat(some.isReadOnly()).isTrue();
            assertThat(some.isDirect()).as("no bytes of the heap").isTrue();
            assertThat(some).isEqualTo(ByteBuffer.wrap(bytes, 99, MORE - 7 - 99));
            assertThat(held()).isEqualTo(2);
            assertThat(folder).as("it has no name").isEmptyDirectory();
        }
        assertThat(held()).isZero();
    }

    @Test
    void whatIsForgottenIsWrittenAnew() throws IOException {
        byte[] bytes = random(MORE);
        try (Tape tape = new Tape(folder)) {
            append(tape, bytes);
            tape.cutAt(1000);
            byte[] again = new byte[MORE - 1000];
            Arrays.fill(again, (byte) 3);
            append(tape, again);
            assertThat(tape.copy(0, 1000)).isEqualTo(Arrays.copyOf(bytes, 1000));
            assertThat(tape.copy(1000, MORE)).isEqualTo(again);
            assertThat(tape.slice(1000, MORE)).isEqualTo(ByteBuffer.wrap(again));
        }
    }

    @Test
    void aLittleNeedsNoFile() throws IOException {
        byte[] bytes = random(3 << 20);
        try (Tape tape = new Tape(folder.resolve("missing"))) {
            tape.begin(70);
            append(tape, bytes);
            tape.begin(1L << 40);
            tape.append(5);
            assertThat(tape.slice(0, bytes.length)).isEqualTo(ByteBuffer.wrap(bytes));
            assertThat(tape.position(1)).isEqualTo(71);
            assertThat(tape.position(bytes.length)).isEqualTo(1L << 40);
        }
    }

    @Test
    void whereItCantBeKeptIsNamed() throws IOException {
        try (Tape tape = new Tape(folder.resolve("missing"))) {
            assertThatThrownBy(() -> append(tape, new byte[MORE]))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("in folder '" + folder.resolve("missing") + "'")
                    .hasMessageContaining("--scratch DIR");
        }
    }
}
