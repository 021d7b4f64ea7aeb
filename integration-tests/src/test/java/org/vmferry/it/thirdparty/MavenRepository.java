package org.vmferry.it.thirdparty;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Local repositories of Maven's that have what the user's has, but for vmferry. */
final class MavenRepository {
    private MavenRepository() {}

    /**
     * One with nothing of vmferry. What Maven fetches into the folders of others is the user's,
     * too.
     */
    static Path withoutVmferry(Path repository) throws IOException {
        // Surefire tells where it is.
        String home = System.getProperty("user.home");
        Path own = Path.of(System.getProperty("localRepository", home + "/.m2/repository"));
        Path vmferry = Files.createDirectories(repository.resolve("org/vmferry"));
        link(own, repository, "org");
        link(own.resolve("org"), vmferry.getParent(), "vmferry");
        return repository;
    }

    private static void link(Path from, Path to, String but) throws IOException {
        try (Stream<Path> all = Files.list(from)) {
            List<Path> wanted =
                    all.filter(path -> !path.getFileName().toString().equals(but)).toList();
            for (Path path : wanted)
                Files.createSymbolicLink(to.resolve(path.getFileName()), path.toAbsolutePath());
        }
    }
}
