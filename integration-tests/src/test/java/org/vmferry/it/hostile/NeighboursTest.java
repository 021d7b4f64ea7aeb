package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.Launched;
import org.vmferry.it.support.Mounted;
import org.vmferry.it.support.Snapshots;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.zip.CRC32C;

/** Who may write where a snapshot is to be, or made the file: what he brings a command to do. */
class NeighboursTest {
    private static final int NOBODY = 65534;
    private static final String RANDOM = "0123456789abcdef0123456789abcdef";
    private static final String QUOTE = "x'; touch PWNED; echo '\u001b";

    @TempDir Path home;

    private Path snapshot;
    private Path shared;
    private final Commands vmferry = new Commands();

    @BeforeEach
    void save() throws Exception {
        snapshot = home.resolve("vm.snap");
        Snapshots.save(snapshot);
        shared = Files.createDirectory(home.resolve("shared"));
        Files.setAttribute(shared, "unix:mode", 01777);
    }

    private static String part(Path target) {
        CRC32C mark = new CRC32C();
        mark.update(target.getFileName().toString().getBytes(StandardCharsets.UTF_8));
        return ".vmferry-%08x-999999999-1-%s.part".formatted(mark.getValue(), RANDOM);
    }

    private static void makePipe(Path pipe) throws Exception {
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    }

    private int convert(Path to) {
        return assertTimeoutPreemptively(
                Duration.ofSeconds(60),
                () -> vmferry.run("convert", snapshot, to, "--format", "mapped-ram"));
    }

    private void assertGenuine(Path converted) throws IOException {
        assertThat(new Commands().run("verify", converted)).isZero();
        Path there = home.resolve("there");
        Path here = home.resolve("here");
        assertThat(new Commands().run("extract", converted, "--block", "ref.ram", "-o", there))
                .isZero();
        assertThat(new Commands().run("extract", snapshot, "--block", "ref.ram", "-o", here))
                .isZero();
        assertThat(there).hasSameBinaryContentAs(here);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(there)))
                .isEqualTo("rw-------");
    }

    /** A pipe of the right name held it up for ever. */
    @Test
    void whatIsPlantedUnderOurPrefixIsNeitherOpenedNorNamed() throws Exception {
        Path to = shared.resolve("out.snap");
        makePipe(shared.resolve(part(to)));
        Path folder = shared.resolve(".vmferry-archive-999999999-1-" + RANDOM);
        makePipe(folder);
        Files.createDirectory(shared.resolve(".vmferry-archive-1-1-" + QUOTE));
        assertThat(convert(to)).isZero();
        assertThat(vmferry.err()).doesNotContain("remove it", "PWNED");
        assertGenuine(to);
    }

    /** What is offered for pasting removes what it names, and does nothing else. */
    @Test
    void aLineToPasteRunsNothingElse() throws Exception {
        Path folder = Files.createDirectory(home.resolve(QUOTE));
        Path left = Files.createDirectory(folder.resolve(".vmferry-archive-999999999-1-" + RANDOM));
        assertThat(convert(folder.resolve("out.snap"))).isZero();
        assertThat(vmferry.err()).contains("remove it with: ").doesNotContain("\u001b");
        String line =
                vmferry.err().lines().filter(one -> one.contains("remove it")).findFirst().get();
        String command = line.substring(line.indexOf("rm "));
        Process shell = new ProcessBuilder("bash", "-c", command).directory(home.toFile()).start();
        assertThat(shell.waitFor()).as(command).isZero();
        assertThat(left).doesNotExist();
        assertThat(home.resolve("PWNED")).doesNotExist();
        assertThat(snapshot).exists();
    }

    /** Its engine logs what it meets. */
    @Test
    void aLogDrivesNoTerminal() throws Exception {
        Path socket = home.resolve("a\u001b[2J\u202eb");
        try (var left = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            left.bind(UnixDomainSocketAddress.of(socket)); // its name stays
        }
        Path temporary = Files.createDirectory(home.resolve("tmp"));
        Path out = home.resolve("out.snap");
        try (Launched vmferry =
                Launched.with(home, temporary, "receive", "unix:" + socket, "-o", out, "--debug")) {
            vmferry.awaitSaid("Replacing the socket '" + home + "/a?[2J?b'");
            assertThat(vmferry.err()).contains(" INFO ").doesNotContain("\u001b", "\u202e");
        }
    }

    @Test
    void aPlantedFilesModeIsNotCopied() throws Exception {
        Path to = Files.writeString(shared.resolve("out.snap"), "bait");
        give(to);
        Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rw-rw-rw-"));
        assertThat(convert(to)).isZero();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(to)))
                .isEqualTo("rw-------");
        assertGenuine(to);
    }

    @ParameterizedTest
    @ValueSource(strings = {"convert", "extract"})
    void aPlantedLinkLeadsNobodyAstray(String command) throws Exception {
        Path secret = Files.writeString(home.resolve("authorized_keys"), "ours");
        Path to = Files.createSymbolicLink(shared.resolve("out.snap"), secret);
        give(to);
        int status =
                command.equals("convert")
                        ? convert(to)
                        : vmferry.run("extract", snapshot, "--block", "ref.ram", "-o", to);
        assertThat(status).isEqualTo(1);
        assertThat(vmferry.err()).contains("a symbolic link that another user");
        assertThat(secret).hasContent("ours");
        Path beside = shared.resolve("beside.snap");
        assertThat(convert(beside)).isZero();
        assertGenuine(beside);
    }

    /** In a folder where everybody may write. */
    private static void give(Path file) throws IOException {
        boolean root = (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
        assumeTrue(root, "only root can make files in another's name");
        Files.setAttribute(file, "unix:uid", NOBODY, LinkOption.NOFOLLOW_LINKS);
    }

    /** Its name looks like the end of a line in the system's table: nothing could be replaced. */
    @Test
    void aNeighboursMountIsInNobodysWay() throws Exception {
        Path to = Files.writeString(shared.resolve("out.snap"), "old");
        try (Mounted mounted = Mounted.disk(shared.resolve("a\rb\rc"), 8)) {
            assertThat(convert(to)).as(vmferry.err()).isZero();
            assertThat(mounted.at()).isDirectory();
        }
        assertGenuine(to);
    }

    /** 256 KiB of them kept it busy for 23 s, and twice as many four times as long. */
    @Test
    void aLibvirtHeaderIsLookedThroughInOneGo() throws Exception {
        byte[] xml = "<domain ".repeat(6 << 20).getBytes(StandardCharsets.US_ASCII);
        ByteBuffer image = ByteBuffer.allocate(92 + xml.length + 4).order(ByteOrder.LITTLE_ENDIAN);
        image.put("LibvirtQemudSave".getBytes(StandardCharsets.US_ASCII));
        image.putInt(2).putInt(xml.length).position(92).put(xml);
        image.put("QEVM".getBytes(StandardCharsets.US_ASCII));
        Path file = Files.write(home.resolve("web.save"), image.array());
        int status =
                assertTimeoutPreemptively(
                        Duration.ofSeconds(20), () -> vmferry.run("inspect", file));
        assertThat(status).as("nothing follows").isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"stream", "mapped-ram"})
    void aBlockNamedLikeAPathStaysWithinTheArchive(String format) throws Exception {
        Path inner = Files.createDirectories(home.resolve("a/b"));
        Path named = inner.resolve("named");
        assertThat(vmferry.run("convert", snapshot, named, "--format", format)).isZero();
        // ISO 8859-1 keeps each byte as it is.
        String bytes = Files.readString(named, StandardCharsets.ISO_8859_1);
        String path = "../evil";
        Files.writeString(named, bytes.replace("ref.ram", path), StandardCharsets.ISO_8859_1);
        Path there = inner.resolve("there");
        assertThat(vmferry.run("extract", named, "--block", path, "-o", there)).isZero();
        Path here = inner.resolve("here");
        assertThat(vmferry.run("extract", snapshot, "--block", "ref.ram", "-o", here)).isZero();
        assertThat(there).hasSameBinaryContentAs(here);
        for (String to : new String[] {"stream", "mapped-ram"}) {
            Path converted = inner.resolve(to);
            assertThat(vmferry.run("convert", named, converted, "--format", to)).isZero();
            assertThat(vmferry.run("verify", converted)).isZero();
        }
        try (var all = Files.walk(home)) {
            assertThat(all).noneMatch(file -> file.getFileName().toString().equals("evil"));
        }
    }

    /** Whoever can write there would have his code run by whoever looks into a snapshot. */
    @Test
    void aFolderOfPluginsThatOthersWriteToIsRefused() throws Exception {
        Path plugins = Files.createDirectory(shared.resolve("plugins"));
        Files.setAttribute(plugins, "unix:mode", 0777);
        assertThat(vmferry.run("inspect", snapshot, "--plugins", plugins)).isEqualTo(1);
        assertThat(vmferry.err()).contains("'" + plugins + "' is not used: it can be written to");
        assertThat(vmferry.run("inspect", snapshot)).isZero();
        assertThat(vmferry.run("inspect", snapshot, "--plugins", plugins, "--plugins-of-anyone"))
                .isZero();
        Files.setAttribute(plugins, "unix:mode", 0755);
        assertThat(vmferry.run("inspect", snapshot, "--plugins", plugins)).isZero();
    }
}
