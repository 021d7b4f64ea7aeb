import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Shows that {@link Check} can fail: takes one thing at a time away from what it has found to be
 * fit, or spoils it, and sees whether it says so.
 *
 * <p>{@code java [-Dmaven.repo.local=…] .ci/central/Spoil.java FOLDER}
 */
final class Spoil {
    /** Which one is spoilt: it needs others, and has types within types. */
    private static final String SUBJECT = "vmferry-spi";

    /** Something that is done to a copy of the folder. */
    private interface Change {
        void to(Path copy) throws Exception;
    }

    private final Path repository;
    private final Map<String, Map<String, String>> needs;
    private final Signatures signatures = new Signatures();
    private final Pom subject;
    private final Pom parent;
    private final List<String> missed = new ArrayList<>();
    private int tried;

    private Spoil(Path repository) throws Exception {
        this.repository = repository;
        List<Pom> poms = Check.poms(repository);
        needs = Stranger.needs(repository, poms);
        Check.whole(repository, poms, needs, signatures);
        subject = named(poms, SUBJECT);
        parent =
                named(
                        poms,
                        Pom.text(
                                Pom.child(Pom.xml(file(subject, ".pom")), "parent"), "artifactId"));
    }

    private static Pom named(List<Pom> poms, String artifact) {
        return poms.stream()
                .filter(pom -> pom.artifact().equals(artifact))
                .findFirst()
                .orElseThrow();
    }

    public static void main(String[] arguments) throws Exception {
        Spoil spoil = new Spoil(Path.of(arguments[0]).toAbsolutePath());
        spoil.files();
        spoil.poms();
        spoil.jars();
        spoil.lists();
        spoil.around();
        spoil.dependencies();
        for (String each : spoil.missed) System.err.println(each);
        if (!spoil.missed.isEmpty()) System.exit(1);
        System.out.println(spoil.tried + " faults were put in, and each was found");
    }

    private void files() throws Exception {
        for (String end :
                List.of(".jar", ".pom", "-sources.jar", "-javadoc.jar", "-cyclonedx.xml")) {
            finds("has no signature", copy -> Files.delete(in(copy, end + ".asc")));
            finds("doesn't hold", copy -> add(in(copy, end), "\n"));
            finds("wrong .sha1", copy -> write(in(copy, end + ".sha1"), "00"));
            if (!end.equals(".pom")) finds("has no " + end, copy -> Files.delete(in(copy, end)));
        }
        for (String sum : Checksums.ALGORITHMS.keySet())
            finds("has no " + sum, copy -> Files.delete(in(copy, ".jar" + sum)));
        finds("doesn't hold", copy -> write(in(copy, ".jar.asc"), read(in(copy, ".pom.asc"))));
        finds("another name", copy -> write(in(copy, ".jar").resolveSibling("other.jar"), "x"));
        finds("not there", copy -> write(in(copy, "-more.jar.md5"), "x"));
    }

    private void poms() throws Exception {
        pom(subject, "says nothing of name", without("name"));
        pom(subject, "says nothing of description", without("description"));
        pom(parent, "says nothing of url", text -> text.replaceFirst("\n  <url>[^\n]*", ""));
        pom(parent, "says nothing of licenses/license/name", without("licenses"));
        pom(parent, "says nothing of developers/developer/name", without("developers"));
        pom(parent, "says nothing of scm/url", without("scm"));
        pom(parent, "says nothing of scm/connection", without("connection"));
        pom(parent, "says nothing of scm/developerConnection", without("developerConnection"));
        for (String of :
                List.of(
                        "child.project.url",
                        "child.scm.url",
                        "child.scm.connection",
                        "child.scm.developerConnection"))
            pom(
                    parent,
                    "its own name behind",
                    text -> text.replace(of + ".inherit.append.path=\"false\"", ""));
        pom(
                parent,
                "no address",
                text -> text.replaceFirst("(\n  <url>)[^<]*", "$1https://x.invalid/"));
        pom(parent, "no address", text -> text.replaceFirst("(\n  <url>)[^<]*", "$1somewhere"));
        pom(parent, "leaves open", text -> text.replaceFirst("(\n  <url>)[^<]*", "$1\\${home}"));
        pom(parent, "no scm:", text -> text.replaceFirst("scm:git:", ""));
        pom(
                subject,
                "SNAPSHOT",
                text ->
                        text.replaceFirst(
                                "(\n  <artifactId>)",
                                "\n  <version>" + subject.version() + "-SNAPSHOT</version>$1"));
        pom(
                subject,
                "another name",
                text -> text.replace("<artifactId>" + subject.artifact(), "<artifactId>other"));
    }

    private void jars() throws Exception {
        String type = "/" + subject.group().replace('.', '/');
        finds("has no META-INF/LICENSE", copy -> zip(in(copy, ".jar"), "/META-INF/LICENSE", null));
        finds(
                "LICENSE that is none",
                copy -> zip(in(copy, ".jar"), "/META-INF/LICENSE", "See the site."));
        String source = first("-sources.jar", type, "[A-Z]\\w+\\.java");
        finds("has no source of", copy -> zip(in(copy, "-sources.jar"), source, null));
        finds("has a source of", copy -> zip(in(copy, "-sources.jar"), source, ""));
        finds(
                "has no source of module-info",
                copy -> zip(in(copy, "-sources.jar"), "/module-info.java", null));
        finds(
                "has no Javadoc page index.html",
                copy -> zip(in(copy, "-javadoc.jar"), "/index.html", null));
        for (String page :
                List.of(
                        "[A-Z]\\w+\\.html",
                        "[A-Z]\\w+\\.[A-Z]\\w+\\.html",
                        "package-summary.html")) {
            String name = first("-javadoc.jar", "/", page);
            finds("has no Javadoc page", copy -> zip(in(copy, "-javadoc.jar"), name, null));
            finds(
                    "has a Javadoc page that is none",
                    copy -> zip(in(copy, "-javadoc.jar"), name, ""));
        }
    }

    private void lists() throws Exception {
        list(
                "has an SBOM without",
                text ->
                        text.replaceFirst(
                                "(?s)<component [^>]*bom-ref=\"(?=[^\"]*slf4j).*?</component>",
                                ""));
        list(
                "which it doesn't need",
                text -> text.replaceFirst("<name>slf4j-api</name>", "<name>other</name>"));
        list("wrong SHA-256", text -> text.replaceAll("(alg=\"SHA-256\">)....", "$10000"));
        list("without a SHA-256", text -> text.replace("alg=\"SHA-256\"", "alg=\"SHA-255\""));
        list("number of its own", text -> text.replaceFirst("<bom ", "<bom serialNumber=\"1\" "));
    }

    private void around() throws Exception {
        String of = subject.group().replace('.', '/');
        finds(
                "belongs to no artifact",
                copy -> write(copy.resolve(of).resolve("maven-metadata.xml"), "x"));
        finds("manages what is not there", copy -> Stranger.delete(in(copy, ".jar").getParent()));
        Path ring = Files.createTempDirectory("vmferry-ring-");
        try {
            // Of somebody whom nobody here knows.
            gpg(
                    ring,
                    "--passphrase",
                    "",
                    "--quick-generate-key",
                    "Somebody else",
                    "ed25519",
                    "sign",
                    "never");
            finds(
                    "NO_PUBKEY",
                    copy -> {
                        Files.delete(in(copy, ".jar.asc"));
                        gpg(ring, "--armor", "--detach-sign", in(copy, ".jar").toString());
                    });
        } finally {
            new ProcessBuilder("gpgconf", "--homedir", ring.toString(), "--kill", "all")
                    .start()
                    .waitFor();
            Stranger.delete(ring);
        }
    }

    /** What is not to be had any more, or not in a version that anybody says. */
    private void dependencies() throws Exception {
        Map<String, UnaryOperator<String>> changes = new LinkedHashMap<>();
        changes.put(
                "no version",
                text -> text.replaceAll("<version>\\$\\{slf4j.version}</version>", ""));
        changes.put(
                "no such version", text -> text.replaceFirst("(<slf4j.version>)[^<]*", "$1999"));
        for (Map.Entry<String, UnaryOperator<String>> each : changes.entrySet()) {
            tried++;
            Path copy = copied();
            try {
                Path pom = file(copy, parent, ".pom");
                change(pom, each.getValue());
                Checksums.write(pom);
                Stranger.needs(copy, Check.poms(copy));
                missed.add("A dependency with " + each.getKey() + " was resolved");
            } catch (IOException expected) {
                if (!expected.getMessage().startsWith(Stranger.FAILS)) throw expected;
            } finally {
                Stranger.delete(copy);
            }
        }
    }

    private void pom(Pom of, String expected, UnaryOperator<String> change) throws Exception {
        finds(expected, copy -> change(file(copy, of, ".pom"), change));
    }

    private void list(String expected, UnaryOperator<String> change) throws Exception {
        finds(expected, copy -> change(in(copy, "-cyclonedx.xml"), change));
    }

    private void finds(String expected, Change change) throws Exception {
        tried++;
        List<String> problems = after(change);
        if (problems.stream().noneMatch(problem -> problem.contains(expected)))
            missed.add("Fault " + tried + " was not found (" + expected + "): " + problems);
    }

    private List<String> after(Change change) throws Exception {
        Path copy = copied();
        try {
            change.to(copy);
            Check check = new Check(copy, needs, signatures);
            List<Pom> poms = Check.poms(copy);
            for (Pom pom : poms) if (isLookedAt(pom)) check.look(pom);
            check.lookAround(poms);
            return check.problems();
        } finally {
            Stranger.delete(copy);
        }
    }

    /** The others have the same faults, or none. */
    private boolean isLookedAt(Pom pom) {
        return pom.artifact().equals(subject.artifact()) || !needs.containsKey(pom.artifact());
    }

    private Path copied() throws IOException {
        Path copy = Files.createTempDirectory("vmferry-spoilt-");
        for (Path file : Bundle.files(repository)) {
            Path to = copy.resolve(repository.relativize(file));
            Files.createDirectories(to.getParent());
            Files.copy(file, to);
        }
        return copy;
    }

    private Path in(Path copy, String end) {
        return file(copy, subject, end);
    }

    private Path file(Pom pom, String end) {
        return file(repository, pom, end);
    }

    private static Path file(Path in, Pom pom, String end) {
        return new Coordinates(pom.group(), pom.artifact(), pom.version(), end).in(in);
    }

    /** Of a zip's files the first below a folder that has such a name. */
    private String first(String end, String below, String name) throws IOException {
        try (FileSystem zip = FileSystems.newFileSystem(file(subject, end));
                var files = Files.walk(zip.getPath(below))) {
            return files.filter(
                            file ->
                                    file.getNameCount() > 0
                                            && file.getFileName().toString().matches(name))
                    .map(Path::toString)
                    .sorted()
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static void zip(Path path, String name, String content) throws IOException {
        try (FileSystem zip = FileSystems.newFileSystem(path)) {
            if (content == null) Files.delete(zip.getPath(name));
            else Files.writeString(zip.getPath(name), content);
        }
    }

    private static UnaryOperator<String> without(String element) {
        return text -> text.replaceFirst("(?s)<" + element + "[ >].*?</" + element + ">", "");
    }

    private static void change(Path file, UnaryOperator<String> change) throws IOException {
        String before = read(file);
        String after = change.apply(before);
        if (after.equals(before)) throw new IOException("Nothing of " + file + " was changed");
        write(file, after);
    }

    private static String read(Path file) throws IOException {
        return Files.readString(file);
    }

    private static void write(Path file, String text) throws IOException {
        Files.writeString(file, text);
    }

    private static void add(Path file, String text) throws IOException {
        byte[] end = text.getBytes(StandardCharsets.UTF_8);
        Files.write(file, end, StandardOpenOption.APPEND);
    }

    private static void gpg(Path ring, String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of("gpg", "--homedir", ring.toString(), "--batch", "--quiet"));
        command.addAll(List.of(arguments));
        Process gpg = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(gpg.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (gpg.waitFor() != 0) throw new IOException(command + ": " + said);
    }
}
