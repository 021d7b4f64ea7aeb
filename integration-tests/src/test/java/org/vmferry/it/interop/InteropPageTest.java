package org.vmferry.it.interop;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmferry.it.qemu.QemuBinary;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the page says. */
class InteropPageTest {
    private static final QemuBinary NEW = new QemuBinary(Path.of("no-qemu"), 10, 0);
    private static final QemuBinary OLD = new QemuBinary(Path.of("no-qemu"), 7, 2);

    private static List<String> rows(String page, String name) {
        return page.lines().filter(line -> line.startsWith("| " + name + " |")).toList();
    }

    @Test
    void whatWasNotRunIsRed() throws Exception {
        InteropPage page = new InteropPage(List.of(NEW));
        Board tried = Board.all().getFirst();
        page.put(
                NEW,
                tried,
                "5 of 5",
                Map.of(
                        Operation.INSPECT,
                        Cell.green("9 blocks"),
                        Operation.SEND,
                        Cell.red("it broke"),
                        Operation.RECEIVE,
                        Cell.qemuFailsToo("it breaks alone")));
        int operations = Operation.values().length;
        assertThat(rows(page.text(), tried.name()).getFirst())
                .contains("| 5 of 5 | ✅ 9 blocks | ❌ not run |", "| ⚠️ 1 | ❌ 2 |");
        assertThat(page.text()).contains("1. `it breaks alone`\n2. `it broke`\n");
        for (Board board : Board.of(NEW)) {
            if (board.equals(tried)) continue;
            assertThat(rows(page.text(), board.name()))
                    .singleElement()
                    .asString()
                    .doesNotContain("✅")
                    .hasSize(
                            ("| " + board.name() + " |  |").length()
                                    + operations * " ❌ not run |".length());
        }
    }

    @Test
    void whatIsCheckedInHasEveryMachineAndOperation() throws IOException {
        String page = Files.readString(InteropPage.CHECKED_IN);
        Map<String, Long> machines =
                Stream.of(NEW, OLD)
                        .flatMap(qemu -> Board.of(qemu).stream())
                        .collect(Collectors.groupingBy(Board::name, Collectors.counting()));
        machines.forEach(
                (name, count) -> assertThat(rows(page, name)).as(name).hasSize(count.intValue()));
        for (Operation each : Operation.values())
            assertThat(page).contains("| " + each.title + " |");
        assertThat(page).as("a whole run").doesNotContain("❌ not run |");
    }
}
