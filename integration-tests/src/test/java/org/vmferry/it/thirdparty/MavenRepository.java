package org.vmferry.it.thirdparty;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
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
        Path own = own();
        Path vmferry = Files.createDirectories(repository.resolve("org/vmferry"));
        link(own, repository, "org");
        link(own.resolve("org"), vmferry.getParent(), "vmferry");
        return repository;
    }

    private static Path own() {
        // Surefire tells where it is.
        String home = System.getProperty("user.home");
        return Path.of(System.getProperty("localRepository", home + "/.m2/repository"));
    }

    /**
     * Gives the user what Maven has fetched into folders that were not there yet, so that it is
     * fetched once.
     */
    static void keep(Path repository) throws IOException {
        for (Path group : List.of(repository, repository.resolve("org"))) {
            try (Stream<Path> all = Files.list(group)) {
                for (Path folder : all.toList()) {
                    String name = folder.getFileName().toString();
                    boolean ours = List.of("org", "vmferry", "example").contains(name);
                    if (ours || !Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) continue;
                    copy(folder, own().resolve(repository.relativize(folder).toString()));
                }
            }
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path path : all.toList()) {
                Path copy = to.resolve(from.relativize(path).toString());
                if (Files.isDirectory(path)) Files.createDirectories(copy);
                else Files.copy(path, copy, StandardCopyOption.REPLACE_EXISTING);
            }
        }
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
