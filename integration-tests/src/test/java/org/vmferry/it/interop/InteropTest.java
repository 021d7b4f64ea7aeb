package org.vmferry.it.interop;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.RequiresQemu;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Guests of all kinds of machines that Debian's QEMUs have go through every operation;
 * docs/interop.md is written of it. The property vmferry.interop.only runs those alone whose name
 * has it.
 */
@Tag("stress")
@RequiresQemu(old = true)
@Timeout(1200)
class InteropTest {
    private static final List<QemuBinary> QEMUS =
            Stream.of(QemuBinary.current(), QemuBinary.old()).flatMap(Optional::stream).toList();
    private static final InteropPage PAGE = new InteropPage(QEMUS);
    private static final Path MADE = Path.of("target", "interop.md");

    @TempDir Path folder;

    static Stream<Arguments> boards() {
        String only = System.getProperty("vmferry.interop.only", "");
        List<Arguments> all = new ArrayList<>();
        for (Board board : Board.all()) {
            for (QemuBinary qemu : QEMUS) {
                String name = "%d.%d %s".formatted(qemu.major(), qemu.minor(), board.name());
                if (!Board.of(qemu).contains(board) || !name.contains(only)) continue;
                all.add(Arguments.argumentSet(name, qemu, board));
            }
        }
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("boards")
    void goesThrough(QemuBinary qemu, Board board) throws Exception {
        Map<Operation, Cell> cells = new EnumMap<>(Operation.class);
        String filled = "";
        try {
            BoardTrial trial = new BoardTrial(board, qemu, folder, (file, offset) -> {});
            filled = trial.filled();
            QemuAlone alone = new QemuAlone(trial, qemu.atLeast(9, 0), folder);
            for (Operation each : Operation.values()) cells.put(each, cell(trial, alone, each));
        } catch (BoardTrial.NotSavedException e) {
            fill(cells, Cell.qemuFailsToo("It is not saved. " + said(e)));
        } catch (Exception | AssertionError e) {
            fill(cells, Cell.red("The trial could not begin: " + said(e)));
        }
        PAGE.put(qemu, board, filled, cells);
        PAGE.write(MADE);
        if ("write".equals(System.getProperty("vmferry.interop"))) {
            PAGE.write(InteropPage.CHECKED_IN);
        }
        cells.values().removeIf(cell -> cell.kind() != Cell.Kind.RED);
        assertThat(cells).isEmpty();
    }

    private Cell cell(BoardTrial trial, QemuAlone alone, Operation operation) {
        try {
            return Cell.green(trial.run(operation));
        } catch (Exception | AssertionError e) {
            String why = said(e);
            return alone.words(operation)
                    .map(
                            words ->
                                    Cell.qemuFailsToo(
                                            "%s QEMU alone: %s".formatted(why, said(words))))
                    .orElse(Cell.red(why));
        }
    }

    private static void fill(Map<Operation, Cell> cells, Cell cell) {
        for (Operation each : Operation.values()) cells.putIfAbsent(each, cell);
    }

    private String said(Throwable thrown) {
        return said(Cell.words(thrown));
    }

    /** Without the folder's name, which changes. */
    private String said(String words) {
        return words.replace(folder + "/", "");
    }
}
