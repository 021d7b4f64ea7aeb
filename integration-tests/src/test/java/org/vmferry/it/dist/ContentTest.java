package org.vmferry.it.dist;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;

/** What is in the archives, and that who builds them, where and when, makes no difference. */
class ContentTest {
    private static final String HOME = "vmferry-" + Unpacked.VERSION + "/";
    private static final Map<String, byte[]> FILES = new TreeMap<>();
    private static final List<TarArchiveEntry> ENTRIES = new ArrayList<>();

    @BeforeAll
    static void read() throws Exception {
        try (InputStream file = Files.newInputStream(Unpacked.archive(".tar.gz"));
                var tar = new TarArchiveInputStream(new GZIPInputStream(file))) {
            for (TarArchiveEntry entry; (entry = tar.getNextEntry()) != null; ) {
                ENTRIES.add(entry);
                assertThat(entry.getName()).startsWith(HOME);
                String name = entry.getName().substring(HOME.length());
                if (entry.isFile()) FILES.put(name, tar.readAllBytes());
            }
        }
    }

    /** Whose it was is not told, nor when: one time for all, and an order by name. */
    @Test
    void nothingTellsWhoBuiltItNorWhen() {
        assertThat(ENTRIES)
                .allSatisfy(
                        entry -> {
                            assertThat(entry.getLongUserId()).isZero();
                            assertThat(entry.getLongGroupId()).isZero();
                            assertThat(entry.getUserName()).matches("|root");
                            assertThat(entry.getGroupName()).matches("|root");
                            boolean runs =
                                    entry.isDirectory() || entry.getName().endsWith("/bin/vmferry");
                            assertThat(entry.getMode() & 0777)
                                    .as(entry.getName())
                                    .isEqualTo(runs ? 0755 : 0644);
                        });
        assertThat(ENTRIES.stream().map(entry -> entry.getLastModifiedTime().toInstant()))
                .containsOnly(ENTRIES.getFirst().getLastModifiedTime().toInstant())
                .allMatch(time -> time.isBefore(Instant.now().minusSeconds(3600)));
    }

    @Test
    void theZipHasTheSameAndAScriptForWindows() throws Exception {
        Path archive = Unpacked.archive(".zip");
        Map<String, byte[]> files = new TreeMap<>();
        try (ZipFile zip = ZipFile.builder().setPath(archive).get()) {
            for (ZipArchiveEntry entry : Collections.list(zip.getEntries())) {
                if (entry.isDirectory()) continue;
                String name = entry.getName().substring(HOME.length());
                files.put(name, zip.getInputStream(entry).readAllBytes());
                assertThat(entry.getUnixMode() & 0777)
                        .isEqualTo(name.equals("bin/vmferry") ? 0755 : 0644);
            }
        }
        assertThat(files).containsExactlyInAnyOrderEntriesOf(FILES);
        assertThat(new String(files.get("bin/vmferry.cmd"))).contains("\r\n");
    }

    /** Each jar that others wrote, by its name, with a text that is a licence. */
    @Test
    void everyJarOfOthersHasItsLicence() {
        List<String> jars =
                FILES.keySet().stream()
                        .filter(name -> name.matches("lib/(?!vmferry-).*\\.jar"))
                        .map(name -> name.replaceAll("lib/|\\.jar", ""))
                        .toList();
        assertThat(jars).hasSizeGreaterThan(8);
        List<String> listed = new String(FILES.get("licences/THIRD-PARTY.txt")).lines().toList();
        for (String jar : jars) {
            assertThat(listed).anyMatch(line -> line.matches("\\Q" + jar + "\\E +\\S.*"));
            assertThat(FILES.keySet())
                    .anyMatch(
                            name ->
                                    name.matches(
                                            "licences/\\Q" + jar + "\\E/.*(LICENSE|COPYING).*"));
            assertThat(
                            FILES.entrySet().stream()
                                    .filter(
                                            file ->
                                                    file.getKey()
                                                            .startsWith("licences/" + jar + "/"))
                                    .map(file -> new String(file.getValue())))
                    .anyMatch(
                            text -> text.matches("(?is).*(permission|redistribution|licensor).*"));
        }
        assertThat(new String(FILES.get("LICENSE"))).contains("Apache License");
    }

    /** Once each, of one version; no leftover of a build. */
    @Test
    void thereIsOneOfEachJarAndNothingElse() {
        List<String> jars =
                FILES.keySet().stream()
                        .filter(name -> name.startsWith("lib/"))
                        .filter(name -> !name.equals("lib/security.properties"))
                        .toList();
        assertThat(jars)
                .allMatch(name -> name.endsWith(".jar"))
                .contains("lib/vmferry-cli-" + Unpacked.VERSION + ".jar");
        assertThat(jars.stream().map(name -> name.replaceAll("-\\d.*", "")))
                .doesNotHaveDuplicates();
        assertThat(FILES.keySet())
                .noneMatch(name -> name.contains("/."))
                .noneMatch(name -> name.contains("junit"));
    }
}
