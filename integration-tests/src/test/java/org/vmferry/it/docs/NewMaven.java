package org.vmferry.it.docs;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmferry.it.thirdparty.ThirdParty;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Maven as somebody has it who has never built anything: its local repository is empty. vmferry
 * comes from this build's staging folder, and what Maven Central would send from what this build
 * has had from there, so that no network is needed.
 */
final class NewMaven {
    private final Path folder;

    /** One that keeps what it needs in a folder. */
    NewMaven(Path folder) throws IOException {
        Path staging = Path.of(System.getProperty("vmferry.staging"));
        assertThat(staging).as("made by 'mvn verify'").isDirectory();
        this.folder = Files.createDirectories(folder);
        // Surefire tells where it is.
        String home = System.getProperty("user.home");
        Path central = Path.of(System.getProperty("localRepository", home + "/.m2/repository"));
        Files.writeString(
                folder.resolve("settings.xml"),
                """
                <settings>
                  <mirrors>
                    <mirror>
                      <id>had-before</id>
                      <mirrorOf>central</mirrorOf>
                      <url>%s</url>
                    </mirror>
                  </mirrors>
                  <profiles>
                    <profile>
                      <id>staged</id>
                      <repositories>
                        <repository>
                          <id>staged</id>
                          <url>%s</url>
                          <snapshots>
                            <enabled>true</enabled>
                            <checksumPolicy>ignore</checksumPolicy>
                          </snapshots>
                        </repository>
                      </repositories>
                    </profile>
                  </profiles>
                  <activeProfiles>
                    <activeProfile>staged</activeProfile>
                  </activeProfiles>
                </settings>
                """
                        .formatted(central.toUri(), staging.toUri()));
    }

    /** What it says in a project's folder; it must end well. */
    String run(Path project, String... goals) throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("vmferry.maven"), "bin/mvn").toString(),
                                "-B",
                                "-ntp",
                                "-s",
                                folder.resolve("settings.xml").toString(),
                                "-Dmaven.repo.local=" + folder.resolve("repository")));
        command.addAll(List.of(goals));
        ProcessBuilder maven = new ProcessBuilder(command).directory(project.toFile());
        maven.environment().put("JAVA_HOME", System.getProperty("java.home"));
        return ThirdParty.run(maven);
    }
}
