package org.vmferry.cli.bench;

import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a bench found, with where, with what and under which load it did. */
public final class Report {
    private final String subject;
    private final Map<String, Object> options;
    private final Surroundings surroundings;
    private final Instant begin = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final Double loadBefore = Surroundings.load();
    private Double loadAfter;
    private Instant end;
    private Results results;
    private List<String> conclusions;

    /**
     * Begins one.
     *
     * @param subject what is measured
     * @param options as they are, set or by default
     * @param qemu the binary that is measured beside vmferry; null if there is none
     * @throws IOException if that one can't be started
     * @throws InterruptedException if the thread is interrupted
     */
    public Report(String subject, Map<String, Object> options, String qemu)
            throws IOException, InterruptedException {
        this.subject = subject;
        this.options = options;
        this.surroundings = Surroundings.look(qemu);
    }

    /**
     * Ends it.
     *
     * @param bench has done all its rounds
     */
    public void end(Bench bench) {
        results = bench.results();
        conclusions = bench.conclusions();
        end = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        loadAfter = Surroundings.load();
    }

    /**
     * All of it, for programs. The names of these keys are a promise to scripts.
     *
     * @return a JSON object
     */
    public Map<String, Object> tree() {
        Map<String, Object> load = new LinkedHashMap<>();
        load.put("begin", loadBefore);
        load.put("end", loadAfter);
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("subject", subject);
        tree.put("begin", begin.toString());
        tree.put("end", end.toString());
        tree.put("machine", surroundings.machine());
        tree.put("versions", surroundings.versions());
        tree.put("load", load);
        tree.put("options", options);
        tree.put("works", results.tree());
        tree.put("conclusions", conclusions);
        return tree;
    }

    /**
     * All of it, for people and for documents in Markdown.
     *
     * @return lines
     */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(begin + ", " + surroundings.line() + load());
        lines.add("");
        lines.addAll(results.table(subject + ", rounds: " + options.get("rounds")));
        if (!conclusions.isEmpty()) lines.add("");
        lines.addAll(conclusions);
        return lines;
    }

    private String load() {
        return loadBefore == null || loadAfter == null
                ? ""
                : "; load "
                        + Results.number(loadBefore)
                        + " at the beginning, "
                        + Results.number(loadAfter)
                        + " at the end";
    }
}
