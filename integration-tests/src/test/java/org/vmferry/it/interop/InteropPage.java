package org.vmferry.it.interop;

import org.vmferry.it.qemu.QemuBinary;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** docs/interop.md: what came of one run. What the run didn't try is red there. */
final class InteropPage {
    private static final Path ROOT = Path.of(System.getProperty("vmferry.root"));

    /** Where it is checked in. */
    static final Path CHECKED_IN = ROOT.resolve("docs/interop.md");

    private static final String HEAD =
            """
            # Which machines of which QEMU go through which operation

            Made by `InteropTest` on %s from commit %s, in one run, and not written by hand. To make it anew:

                mvn verify -Pstress -pl integration-tests -am -Dtest=InteropTest -Dsurefire.failIfNoSpecifiedTests=false -Dvmferry.interop=write

            Each QEMU saves a machine that has not run. `inspect` must find the RAM blocks that the QEMU has, with their lengths;
            what `extract` writes must be what the QEMU's `pmemsave` wrote; what `convert` writes is loaded by the QEMU, and what
            `send` sends is received by it, and `pmemsave` there must write the same (`memsave` where only the CPU sees RAM); what `receive` keeps is extracted and
            compared with that QEMU. QEMU's own files are a plain stream and a mapped-ram file; 7.2 has no mapped-ram, so it
            saves by `exec:`, and what `convert` to mapped-ram wrote is converted back before 7.2 loads it. `receive` and `send`
            go over a unix socket with return-path; `send` with multifd to 7.2 takes the two parameters that
            docs/operations.md names for old QEMUs.

            *Filled* says how many KiB of the RAM that was compared are neither zero nor like any other. Of a stretch of RAM that
            is longer than %s the first and the last %s are filled and compared; the rest is zero.

            ✅ held, and so much was compared. ❌ is vmferry's fault, or was not run in this run. ⚠️ the QEMU fails too when it
            does the same alone, with a QEMU of its kind as its peer. The numbers lead to what was said, below each table.
            """;

    private record Row(String filled, Map<Operation, Cell> cells) {}

    private final String commit;
    private final Map<QemuBinary, Map<Board, Row>> tables = new LinkedHashMap<>();

    /** One of a run that begins now. */
    InteropPage(List<QemuBinary> qemus) {
        String changed = said("git", "status", "--porcelain", "-uno", ":!docs/interop.md");
        commit =
                said("git", "rev-parse", "--short=12", "HEAD")
                        + (changed.isEmpty() ? "" : " with changes");
        for (QemuBinary qemu : qemus) {
            Map<Board, Row> rows = new LinkedHashMap<>();
            for (Board board : Board.of(qemu)) rows.put(board, new Row("", Map.of()));
            tables.put(qemu, rows);
        }
    }

    /** Notes what came of a board. */
    void put(QemuBinary qemu, Board board, String filled, Map<Operation, Cell> cells) {
        tables.get(qemu).put(board, new Row(filled, new EnumMap<>(cells)));
    }

    /** Writes it to a file. */
    void write(Path file) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text());
    }

    /** The page. */
    String text() {
        StringBuilder text = new StringBuilder();
        text.append(
                HEAD.formatted(
                        DateTimeFormatter.ISO_LOCAL_DATE
                                .withZone(ZoneOffset.UTC)
                                .format(Instant.now()),
                        commit,
                        Cell.bytes(Placement.WHOLE),
                        Cell.bytes(Placement.END)));
        for (var table : tables.entrySet()) {
            String version = said(table.getKey().path().toString(), "--version");
            text.append("\n## ")
                    .append(version.lines().findFirst().orElse("No such QEMU"))
                    .append("\n\n");
            append(text, table.getValue());
        }
        return text.toString();
    }

    private static void append(StringBuilder text, Map<Board, Row> rows) {
        List<Operation> operations = List.of(Operation.values());
        text.append("| machine | filled |");
        for (Operation each : operations) text.append(" ").append(each.title).append(" |");
        text.append("\n").append("|---".repeat(operations.size() + 2)).append("|\n");
        List<String> notes = new ArrayList<>();
        for (var row : rows.entrySet()) {
            text.append("| ").append(row.getKey().name()).append(" | ");
            text.append(row.getValue().filled).append(" |");
            for (Operation each : operations) {
                Cell cell = row.getValue().cells.getOrDefault(each, Cell.NOT_RUN);
                text.append(" ").append(mark(cell, notes)).append(" |");
            }
            text.append("\n");
        }
        text.append("\n").append(sums(rows)).append("\n");
        if (!notes.isEmpty()) text.append("\n");
        for (int i = 0; i < notes.size(); i++) {
            text.append(i + 1).append(". ").append(notes.get(i)).append("\n");
        }
    }

    private static String mark(Cell cell, List<String> notes) {
        return switch (cell.kind()) {
            case GREEN -> "✅ " + cell.said();
            case NOT_RUN -> "❌ not run";
            case RED -> "❌ " + number(cell.said(), notes);
            case QEMU_FAILS_TOO -> "⚠️ " + number(cell.said(), notes);
        };
    }

    private static int number(String sentence, List<String> notes) {
        String note = "`" + sentence.replace('`', '\'') + "`";
        if (!notes.contains(note)) notes.add(note);
        return notes.indexOf(note) + 1;
    }

    private static String sums(Map<Board, Row> rows) {
        Map<Cell.Kind, Long> sums =
                rows.values().stream()
                        .flatMap(
                                row ->
                                        Stream.of(Operation.values())
                                                .map(o -> row.cells.getOrDefault(o, Cell.NOT_RUN)))
                        .collect(Collectors.groupingBy(Cell::kind, Collectors.counting()));
        return "%d cells: %d ✅, %d ❌, %d ❌ not run, %d ⚠️."
                .formatted(
                        rows.size() * Operation.values().length,
                        sums.getOrDefault(Cell.Kind.GREEN, 0L),
                        sums.getOrDefault(Cell.Kind.RED, 0L),
                        sums.getOrDefault(Cell.Kind.NOT_RUN, 0L),
                        sums.getOrDefault(Cell.Kind.QEMU_FAILS_TOO, 0L));
    }

    /** What a program says; nothing if there is none, or it fails. */
    private static String said(String... command) {
        try {
            Process process =
                    new ProcessBuilder(command)
                            .directory(ROOT.toFile())
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            byte[] said = process.getInputStream().readAllBytes();
            int status = process.onExit().join().exitValue();
            return status == 0 ? new String(said, StandardCharsets.UTF_8).strip() : "";
        } catch (IOException e) {
            return "";
        }
    }
}
