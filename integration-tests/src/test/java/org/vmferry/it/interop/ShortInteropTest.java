package org.vmferry.it.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.RequiresQemu;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumSet;
import java.util.stream.Stream;

/** The matrix in short: of each kind a board. And the trial itself is tried: it can fail. */
@RequiresQemu(old = true)
@Timeout(300)
class ShortInteropTest {
    @TempDir Path folder;

    private static QemuBinary qemu(boolean old) {
        return (old ? QemuBinary.old() : QemuBinary.current()).orElseThrow();
    }

    private static Stream<Arguments> boards() {
        return Stream.of(false, true)
                .flatMap(old -> Board.small(qemu(old)).stream().map(each -> arguments(each, old)));
    }

    @ParameterizedTest(name = "{0}, old: {1}")
    @MethodSource("boards")
    void goesThrough(Board board, boolean old) throws Exception {
        BoardTrial trial = new BoardTrial(board, qemu(old), folder, (file, offset) -> {});
        for (Operation each : Operation.values()) {
            assertThat(trial.run(each)).as(each.title).doesNotMatch("0\\b.*");
        }
    }

    @Test
    void oneByteThatDiffersMakesACellRed() throws Exception {
        BoardTrial trial = new BoardTrial(Board.PC, qemu(false), folder, ShortInteropTest::flip);
        EnumSet<Operation> looking = EnumSet.of(Operation.INSPECT, Operation.VERIFY);
        for (Operation each : EnumSet.complementOf(looking)) {
            assertThatThrownBy(() -> trial.run(each))
                    .as(each.title)
                    .isInstanceOf(AssertionError.class)
                    .hasMessage("pc.ram at 0x0 differs from byte 5000 on");
        }
    }

    private static void flip(Path file, long offset) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(offset + 5000);
            int old = bytes.read();
            bytes.seek(offset + 5000);
            bytes.write(old ^ 1);
        }
    }

    @Test
    void aFileThatIsCutShortMakesACellRed() throws Exception {
        BoardTrial trial = new BoardTrial(Board.PC, qemu(false), folder, (file, offset) -> {});
        for (Path file : trial.files()) {
            try (FileChannel half = FileChannel.open(file, StandardOpenOption.WRITE)) {
                half.truncate(Files.size(file) / 2);
            }
        }
        for (Operation each : new Operation[] {Operation.INSPECT, Operation.VERIFY}) {
            assertThatThrownBy(() -> trial.run(each))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("cut short");
        }
    }
}
