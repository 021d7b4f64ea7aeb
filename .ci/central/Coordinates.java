import java.nio.file.Path;

/**
 * A file that a repository may have.
 *
 * @param end of its name: ".pom", "-sources.jar"
 */
record Coordinates(String group, String artifact, String version, String end) {
    Path in(Path repository) {
        return repository
                .resolve(group.replace('.', '/'))
                .resolve(artifact)
                .resolve(version)
                .resolve(artifact + "-" + version + end);
    }
}
