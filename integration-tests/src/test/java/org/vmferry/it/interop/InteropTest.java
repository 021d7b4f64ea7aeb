package org.vmferry.it.interop;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.RequiresQemu;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Stream;

/** Guests of all of a QEMU's machines go through every operation. */
@RequiresQemu(old = true)
class InteropTest {
    @TempDir Path folder;

    static Stream<Board> some() {
        String only = System.getProperty("board", "");
        return Board.all().stream().filter(board -> board.name().contains(only));
    }

    @ParameterizedTest
    @MethodSource("some")
    @Tag("stress")
    void board(Board board) throws Exception {
        Map<Operation, String> faults = new EnumMap<>(Operation.class);
        QemuBinary q = System.getProperty("old") != null ? QemuBinary.old().orElseThrow() : QemuBinary.current().orElseThrow();
        long all = 0;
        BoardTrial trial;
        try {
            trial = new BoardTrial(board, q, folder);
        } catch (Throwable t) {
            System.err.println("CELL " + board.name() + " SAVE: " + t.getMessage().lines().findFirst().orElse(""));
            throw t;
        }
        for (Operation each : Operation.values()) {
            try {
                all += trial.run(each);
            } catch (Throwable t) {
                faults.put(each, t.getMessage());
                System.err.println("CELL " + board.name() + " " + each + ": " + String.valueOf(t.getMessage()).replace("\n", " | "));
            }
        }
        System.err.println("ROW " + board.name() + " " + all + " faults " + faults.keySet());
        assertThat(faults).isEmpty();
    }
}
