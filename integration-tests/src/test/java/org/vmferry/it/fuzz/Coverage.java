package org.vmferry.it.fuzz;

import org.jacoco.agent.AgentJar;
import org.jacoco.core.analysis.Analyzer;
import org.jacoco.core.analysis.CoverageBuilder;
import org.jacoco.core.analysis.ICounter;
import org.jacoco.core.analysis.ISourceFileCoverage;
import org.jacoco.core.tools.ExecFileLoader;
import org.vmferry.cli.Main;
import org.vmferry.engine.Engine;
import org.vmferry.mappedram.MappedRamLayout;
import org.vmferry.multifd.MultifdCarrier;
import org.vmferry.zstd.ZstdCodec;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Which lines of the product's source files a JVM ran, and how many of each it should. */
final class Coverage {
    /**
     * Of a file's lines with code at least so many percent are run.
     *
     * @param file as "engine/stream/Trailer": its package behind org.vmferry, and its class
     */
    record Floor(String file, int percent) {}

    /** One of each artifact's classes. */
    private static final List<Class<?>> ARTIFACTS =
            List.of(
                    Engine.class,
                    MappedRamLayout.class,
                    MultifdCarrier.class,
                    ZstdCodec.class,
                    Main.class);

    private final File agent;
    private final File ran;
    private Map<String, ISourceFileCoverage> files;

    /**
     * Of a JVM that is not started yet.
     *
     * @param folder for two files
     */
    Coverage(Path folder) throws IOException {
        agent = folder.resolve("jacoco.jar").toFile();
        ran = folder.resolve("jacoco.exec").toFile();
        AgentJar.extractTo(agent);
    }

    /** With which that JVM is started. */
    String argument() {
        return "-javaagent:%s=destfile=%s,includes=org.vmferry.*,excludes=org.vmferry.it.*"
                .formatted(agent, ran);
    }

    /** Once that JVM has ended. */
    void read() throws IOException, URISyntaxException {
        ExecFileLoader loader = new ExecFileLoader();
        loader.load(ran);
        CoverageBuilder builder = new CoverageBuilder();
        Analyzer analyzer = new Analyzer(loader.getExecutionDataStore(), builder);
        for (Class<?> one : ARTIFACTS) {
            var place = one.getProtectionDomain().getCodeSource().getLocation();
            analyzer.analyzeAll(new File(place.toURI()));
        }
        files = new HashMap<>();
        for (ISourceFileCoverage file : builder.getSourceFiles()) {
            String name = file.getPackageName() + "/" + file.getName();
            files.put(name.replace("org/vmferry/", "").replace(".java", ""), file);
        }
    }

    /** A sentence for each floor that was not reached. */
    List<String> missed(List<Floor> floors) {
        List<String> missed = new ArrayList<>();
        for (Floor floor : floors) {
            ISourceFileCoverage file = files.get(floor.file());
            if (file == null) {
                missed.add("%s has a floor, and there is no such file".formatted(floor.file()));
            } else if (percent(file) < floor.percent()) {
                missed.add(
                        "of the lines of %s %d %% were run, fewer than %d %%; not run: %s"
                                .formatted(
                                        floor.file(),
                                        percent(file),
                                        floor.percent(),
                                        notRun(file)));
            }
        }
        return missed;
    }

    /** A row for each of them. */
    String table(List<Floor> floors) {
        StringBuilder table =
                new StringBuilder("| file | lines | % run | floor |\n|---|---|---|---|");
        for (Floor floor : floors) {
            ISourceFileCoverage file = files.get(floor.file());
            if (file == null) continue; // missed() says so
            table.append(
                    "\n| %s | %d | %d | %d |"
                            .formatted(
                                    floor.file(),
                                    file.getLineCounter().getTotalCount(),
                                    percent(file),
                                    floor.percent()));
        }
        return table.toString();
    }

    private static int percent(ISourceFileCoverage file) {
        return (int) (100 * file.getLineCounter().getCoveredRatio());
    }

    /** As "12, 20-25"; lines without code don't part what stands around them. */
    private static String notRun(ISourceFileCoverage file) {
        List<String> stretches = new ArrayList<>();
        int first = 0;
        int last = 0;
        for (int line = file.getFirstLine(); line <= file.getLastLine() + 1; line++) {
            int status = file.getLine(line).getStatus();
            if (status == ICounter.NOT_COVERED) {
                if (first == 0) first = line;
                last = line;
            } else if (first != 0 && (status != ICounter.EMPTY || line > file.getLastLine())) {
                stretches.add(first == last ? "" + first : first + "-" + last);
                first = 0;
            }
        }
        return String.join(", ", stretches);
    }
}
