import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A build of somebody else's, which has the repository and Maven Central: what each artifact brings
 * along at run time, as Maven finds it. Its local repository is the user's, but for what stands in
 * this one.
 */
final class Stranger {
    private static final String LIST =
            "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:list";
    static final String FAILS = "Maven can't resolve what is there:\n";
    private static final int MINUTES = 4;

    private Stranger() {}

    /**
     * By artifact and then by "group:artifact:version": the jars' SHA-256.
     *
     * @throws IOException if Maven doesn't find something, with what it says
     */
    static Map<String, Map<String, String>> needs(Path repository, List<Pom> poms)
            throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("vmferry-stranger-");
        try {
            Path local = localRepository(folder.resolve("local"), poms.getFirst().group());
            List<Pom> jars = poms.stream().filter(pom -> !pom.packaging().equals("pom")).toList();
            project(folder, repository, jars);
            maven(folder, local);
            Map<String, Map<String, String>> all = new TreeMap<>();
            for (Pom pom : jars) all.put(pom.artifact(), listed(folder, pom));
            return all;
        } finally {
            delete(folder);
        }
    }

    private static void project(Path folder, Path repository, List<Pom> jars) throws IOException {
        StringBuilder modules = new StringBuilder();
        for (Pom pom : jars) {
            modules.append("<module>").append(pom.artifact()).append("</module>");
            Path module = Files.createDirectory(folder.resolve(pom.artifact()));
            Files.writeString(
                    module.resolve("pom.xml"),
                    """
                    <project>
                      <modelVersion>4.0.0</modelVersion>
                      <parent>
                        <groupId>stranger</groupId>
                        <artifactId>stranger</artifactId>
                        <version>1</version>
                      </parent>
                      <artifactId>with-%2$s</artifactId>
                      <packaging>pom</packaging>
                      <dependencies>
                        <dependency>
                          <groupId>%1$s</groupId>
                          <artifactId>%2$s</artifactId>
                          <version>%3$s</version>
                        </dependency>
                      </dependencies>
                    </project>
                    """
                            .formatted(pom.group(), pom.artifact(), pom.version()));
        }
        Files.writeString(
                folder.resolve("pom.xml"),
                """
                <project>
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>stranger</groupId>
                  <artifactId>stranger</artifactId>
                  <version>1</version>
                  <packaging>pom</packaging>
                  <modules>%s</modules>
                  <repositories>
                    <repository>
                      <id>looked-at</id>
                      <url>%s</url>
                    </repository>
                  </repositories>
                </project>
                """
                        .formatted(modules, repository.toUri()));
    }

    private static void maven(Path folder, Path local) throws IOException, InterruptedException {
        Path said = folder.resolve("said.txt");
        ProcessBuilder builder =
                new ProcessBuilder(
                                "mvn",
                                "-B",
                                "-ntp",
                                "-C", // a wrong checksum is a failure
                                "-Dstyle.color=never",
                                "-Dmaven.repo.local=" + local,
                                "-DincludeScope=runtime",
                                "-DoutputAbsoluteArtifactFilename=true",
                                "-DoutputFile=list.txt",
                                LIST)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(said.toFile());
        builder.environment().put("MAVEN_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
        Process maven = builder.start();
        boolean ended = maven.waitFor(MINUTES, TimeUnit.MINUTES);
        if (!ended) maven.descendants().forEach(ProcessHandle::destroyForcibly);
        maven.destroyForcibly();
        String output = Files.readString(said);
        // It only warns of a pom that it can't use, and goes on without what stands there.
        if (!ended || maven.exitValue() != 0 || output.contains("is invalid, transitive"))
            throw new IOException(FAILS + output);
    }

    /**
     * Lines such as "org.slf4j:slf4j-api:jar:2.0.20:compile:/where/it/is.jar -- module org.slf4j".
     */
    private static Map<String, String> listed(Path folder, Pom of) throws IOException {
        Map<String, String> all = new TreeMap<>();
        for (String line : Files.readAllLines(folder.resolve(of.artifact()).resolve("list.txt"))) {
            String[] parts = line.strip().replaceFirst(" -- module .*", "").split(":", 6);
            if (parts.length < 6) continue;
            if (parts[0].equals(of.group()) && parts[1].equals(of.artifact())) continue;
            all.put(
                    parts[0] + ":" + parts[1] + ":" + parts[3],
                    Checksums.of(Path.of(parts[5]), "SHA-256"));
        }
        return all;
    }

    private static Path localRepository(Path folder, String group) throws IOException {
        String own = System.getProperty("user.home") + "/.m2/repository";
        Path from = Path.of(System.getProperty("maven.repo.local", own));
        Path to = Files.createDirectories(folder);
        for (String part : group.split("\\.")) {
            link(from, to, part);
            from = from.resolve(part);
            to = Files.createDirectory(to.resolve(part));
        }
        return folder;
    }

    private static void link(Path from, Path to, String but) throws IOException {
        if (!Files.isDirectory(from)) return;
        List<Path> all = new ArrayList<>();
        try (Stream<Path> list = Files.list(from)) {
            list.filter(path -> !path.getFileName().toString().equals(but)).forEach(all::add);
        }
        for (Path path : all)
            Files.createSymbolicLink(to.resolve(path.getFileName()), path.toAbsolutePath());
    }

    static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.toList().reversed()) Files.delete(file);
        }
    }
}
