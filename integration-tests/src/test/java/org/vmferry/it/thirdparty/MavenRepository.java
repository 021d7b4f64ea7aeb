package org.vmferry.it.thirdparty;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Local repositories of Maven's that have what the user's has, but for vmferry. */
public final class MavenRepository {
    private static final String VERSION = "0.1.0-SNAPSHOT";

    /** What a plug-in's author needs, by artifact; the parent and the BOM are poms alone. */
    private static final Map<String, String> MODULES =
            Map.of(
                    "vmferry", ".",
                    "vmferry-bom", "bom",
                    "vmferry-spi", "spi",
                    "vmferry-engine", "engine",
                    "vmferry-testkit-machine", "testkit/machine",
                    "vmferry-testkit", "testkit");

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

    /** One as {@code mvn install} of this build would leave it. */
    public static Path withThisBuild(Path repository) throws IOException {
        Path vmferry = withoutVmferry(repository).resolve("org/vmferry");
        for (Map.Entry<String, String> module : MODULES.entrySet()) {
            String artifact = module.getKey();
            Path place = Files.createDirectories(vmferry.resolve(artifact).resolve(VERSION));
            String name = artifact + "-" + VERSION;
            Path source = ThirdParty.ROOT.resolve(module.getValue());
            Files.copy(source.resolve("pom.xml"), place.resolve(name + ".pom"));
            Path jar = ThirdParty.KIT.resolve(artifact + ".jar");
            if (Files.exists(jar)) Files.copy(jar, place.resolve(name + ".jar"));
        }
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
