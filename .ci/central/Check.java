import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Looks at a folder in the layout of a repository as Maven Central does before it publishes one,
 * and closer: it takes jars with nothing in them, and this doesn't. It knows what stands in the
 * folder and nothing of the build that made it.
 *
 * <p>{@code java [-Dmaven.repo.local=…] .ci/central/Check.java FOLDER}
 */
final class Check {
    private static final List<String> ASKED =
            List.of(
                    "name",
                    "description",
                    "url",
                    "licenses/license/name",
                    "licenses/license/url",
                    "developers/developer/name",
                    "scm/url",
                    "scm/connection",
                    "scm/developerConnection");
    private static final List<String> ADDRESSES =
            List.of("url", "scm/url", "scm/connection", "scm/developerConnection");
    private static final List<String> OF_A_JAR =
            List.of(".jar", "-sources.jar", "-javadoc.jar", "-cyclonedx.xml");

    private final Path repository;
    private final Map<String, Map<String, String>> needs;
    private final Signatures signatures;
    private final List<String> problems = new ArrayList<>();
    private final Set<String> signers = new TreeSet<>();

    /** Of what each artifact brings along, the SHA-256, as a {@link Stranger} had it. */
    Check(Path repository, Map<String, Map<String, String>> needs, Signatures signatures) {
        this.repository = repository;
        this.signatures = signatures;
        this.needs = needs;
    }

    public static void main(String[] arguments) throws Exception {
        Path repository = Path.of(arguments[0]).toAbsolutePath();
        List<Pom> poms = poms(repository);
        whole(repository, poms, Stranger.needs(repository, poms), new Signatures());
    }

    /** Looks at all; it ends the JVM if it finds something. */
    static void whole(
            Path repository,
            List<Pom> poms,
            Map<String, Map<String, String>> needs,
            Signatures signatures)
            throws Exception {
        Check check = new Check(repository, needs, signatures);
        for (Pom pom : poms) check.look(pom);
        check.lookAround(poms);
        for (String problem : check.problems) System.err.println(problem);
        if (!check.problems.isEmpty()) System.exit(1);
        System.out.println(
                poms.size() + " artifacts are fit to be published, signed by " + check.signers);
    }

    static List<Pom> poms(Path repository) throws IOException {
        List<Pom> poms = new ArrayList<>();
        for (Path file : Bundle.files(repository))
            if (file.toString().endsWith(".pom")) poms.add(Pom.read(repository, file));
        if (poms.isEmpty()) throw new IOException("There is no pom in " + repository);
        return poms;
    }

    List<String> problems() {
        return problems;
    }

    /** All that can be said of one artifact alone. */
    void look(Pom pom) throws IOException, InterruptedException {
        if (pom.version().endsWith("-SNAPSHOT")) say(pom, "is a SNAPSHOT");
        Path home = file(pom, ".pom").getParent();
        if (!Files.exists(file(pom, ".pom"))) {
            say(pom, "stands under another name than its own");
            return;
        }
        look(pom, home);
        describes(pom);
        for (Coordinates managed : pom.managed())
            if (managed.group().equals(pom.group()) && !Files.exists(managed.in(repository)))
                say(pom, "manages what is not there: " + managed);
        if (pom.packaging().equals("pom")) return;
        boolean all = true;
        for (String end : OF_A_JAR) {
            if (Files.exists(file(pom, end))) continue;
            say(pom, "has no " + end);
            all = false;
        }
        if (!all) return;
        try {
            Contents contents = new Contents(file(pom, ".jar"));
            contents.problems(file(pom, "-sources.jar"), file(pom, "-javadoc.jar"))
                    .forEach(problem -> say(pom, problem));
            Map<String, String> brings = needs.getOrDefault(pom.artifact(), Map.of());
            Sbom.problems(file(pom, "-cyclonedx.xml"), brings)
                    .forEach(problem -> say(pom, problem));
        } catch (IOException | IllegalArgumentException e) {
            say(pom, "has a file that can't be read: " + e.getMessage());
        }
    }

    /** What is no artifact's, and what must be the same for all. */
    void lookAround(List<Pom> poms) throws IOException {
        for (Path file : Bundle.files(repository)) {
            boolean known = false;
            for (Pom pom : poms) known |= file.startsWith(file(pom, ".pom").getParent());
            if (!known) problems.add(repository.relativize(file) + " belongs to no artifact");
        }
        if (signers.size() != 1) problems.add("One key signs a release, not " + signers);
        if (poms.stream().map(Pom::version).distinct().count() != 1)
            problems.add("The artifacts are not of one version");
    }

    private void look(Pom pom, Path home) throws IOException, InterruptedException {
        String start = pom.artifact() + "-" + pom.version();
        for (Path file : Bundle.files(home)) {
            String name = file.getFileName().toString();
            if (!name.startsWith(start + ".") && !name.startsWith(start + "-"))
                say(pom, "has a file of another name: " + name);
            if (!Checksums.wants(name)) {
                Path of = file.resolveSibling(name.substring(0, name.lastIndexOf('.')));
                if (!Files.exists(of)) say(pom, name + " is of a file that is not there");
                continue;
            }
            for (var each : Checksums.ALGORITHMS.entrySet()) {
                Path beside = Checksums.beside(file, each.getKey());
                if (!Files.exists(beside)) say(pom, name + " has no " + each.getKey());
                else if (!Files.readString(beside).equals(Checksums.of(file, each.getValue())))
                    say(pom, name + " has a wrong " + each.getKey());
            }
            isSigned(pom, file);
        }
    }

    private void isSigned(Pom pom, Path file) throws IOException, InterruptedException {
        Path signature = Checksums.beside(file, ".asc");
        if (!Files.exists(signature)) {
            say(pom, file.getFileName() + " has no signature");
            return;
        }
        Signatures.Answer answer = signatures.ask(file, signature);
        if (answer.signer() != null) signers.add(answer.signer());
        else say(pom, file.getFileName() + " has a signature that doesn't hold: " + answer.why());
    }

    private void describes(Pom pom) {
        for (String path : ASKED) {
            String value = pom.value(path);
            if (value == null) say(pom, "says nothing of " + path);
            else if (value.contains("${")) say(pom, "leaves open what " + path + " is: " + value);
        }
        for (String path : ADDRESSES) {
            String value = pom.value(path);
            if (value == null) continue;
            if (pom.appends(path))
                say(pom, "has its own name behind what a parent says of " + path);
            if (path.endsWith("onnection")) {
                if (!value.startsWith("scm:")) say(pom, path + " begins with no scm: " + value);
                value = value.replaceFirst("scm:[a-z]+:", "");
            }
            if (!isAddress(value)) say(pom, path + " is no address that others reach: " + value);
        }
    }

    /** RFC 2606 keeps .invalid for addresses that nobody has. */
    private static boolean isAddress(String text) {
        try {
            URI address = URI.create(text);
            String host = address.getHost();
            return Stream.of("http", "https", "ssh", "git").anyMatch(text.split(":")[0]::equals)
                    && host != null
                    && host.contains(".")
                    && !host.endsWith(".invalid");
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private Path file(Pom pom, String end) {
        return new Coordinates(pom.group(), pom.artifact(), pom.version(), end).in(repository);
    }

    private void say(Pom pom, String problem) {
        problems.add(pom.artifact() + " " + problem);
    }
}
