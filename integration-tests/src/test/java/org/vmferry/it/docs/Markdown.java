package org.vmferry.it.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The blocks of code in the documents. */
final class Markdown {
    private static final String FENCE = "```";
    private static final String INDENT = "    ";
    private static final Pattern FILE = Pattern.compile("`((?:src|test)/[^`]+|pom\\.xml)`");

    private Markdown() {}

    /**
     * A block.
     *
     * @param place document and line, for messages
     * @param before the paragraph before it
     * @param language what its fence says; empty for an indented one
     * @param indented whether it has no fence
     * @param lines its text
     */
    record Block(
            String place, String before, String language, boolean indented, List<String> lines) {
        String text() {
            return String.join("\n", lines) + "\n";
        }

        /** The file that it is the content of: the last one named before it. */
        Optional<String> file() {
            if (language.equals("sh")) return Optional.empty();
            return FILE.matcher(before)
                    .results()
                    .reduce((first, last) -> last)
                    .map((MatchResult found) -> found.group(1));
        }
    }

    /** The documents for people who use vmferry, by their path. */
    static List<Path> documents(Path root) throws IOException {
        try (Stream<Path> top = Files.list(root);
                Stream<Path> docs = Files.walk(root.resolve("docs"))) {
            return Stream.concat(top, docs)
                    .filter(file -> file.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        }
    }

    static List<Block> blocks(Path document) throws IOException {
        List<String> lines = Files.readAllLines(document);
        List<Block> blocks = new ArrayList<>();
        StringBuilder before = new StringBuilder();
        boolean gap = true;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            boolean fenced = line.startsWith(FENCE);
            if (!fenced && !(gap && line.startsWith(INDENT))) {
                if (line.isBlank()) {
                    gap = true;
                } else {
                    if (gap) before.setLength(0);
                    before.append(line).append('\n');
                    gap = false;
                }
                continue;
            }
            int begin = fenced ? i + 1 : i;
            int end = begin;
            while (end < lines.size()
                    && (fenced
                            ? !lines.get(end).startsWith(FENCE)
                            : lines.get(end).startsWith(INDENT))) end++;
            blocks.add(
                    new Block(
                            document.getFileName() + ":" + (begin + 1),
                            before.toString(),
                            fenced ? line.substring(FENCE.length()) : "",
                            !fenced,
                            lines.subList(begin, end).stream()
                                    .map(l -> fenced ? l : l.substring(INDENT.length()))
                                    .toList()));
            before.setLength(0);
            gap = true;
            i = fenced ? end : end - 1;
        }
        return blocks;
    }
}
