package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.system.Inode;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Whose a replaced file is afterwards, and who may read it. */
class RightsTest {
    private static final int NOBODY = 65534;
    private static final int READER = 4321;

    @TempDir Path directory;

    private static void replace(Path file) throws IOException {
        try (var out =
                new LocalFileTransport()
                        .outgoing(Address.parse("file:" + file), Options.DEFAULTS)) {
            out.file(false).write(ByteBuffer.wrap("new".getBytes()), 0);
            out.complete();
        }
        assertThat(Files.readString(file)).isEqualTo("new");
    }

    private static Path file(Path folder, int uid, int gid, int mode) throws IOException {
        assumeTrue(Inode.me().orElse(-1) == 0, "only root can give a file away");
        Path file = Files.writeString(folder.resolve("vm.snap"), "old");
        Files.setAttribute(file, "unix:uid", uid);
        Files.setAttribute(file, "unix:gid", gid);
        Files.setAttribute(file, "unix:mode", mode);
        return file;
    }

    private static List<Integer> of(Path file) throws IOException {
        Inode inode = Inode.of(file).orElseThrow();
        return List.of(inode.uid(), inode.gid(), inode.mode() & 07777);
    }

    @Test
    void rootKeepsWhoseItIsWhereNobodyElseCanHavePutIt() throws IOException {
        Path file = file(directory, NOBODY, READER, 0640);
        replace(file);
        assertThat(of(file)).containsExactly(NOBODY, READER, 0640);
    }

    @Test
    void aFileOfOursKeepsItsGroup() throws IOException {
        Path shared = Files.createDirectory(directory.resolve("shared"));
        Path file = file(shared, 0, READER, 0660);
        Files.setAttribute(shared, "unix:mode", 01777);
        replace(file);
        assertThat(of(file)).containsExactly(0, READER, 0660);
    }

    @Test
    void anothersFolderIsNoPlaceToTakeRightsFrom() throws IOException {
        Path theirs = Files.createDirectory(directory.resolve("theirs"));
        Path file = file(theirs, NOBODY, NOBODY, 0666);
        Files.setAttribute(theirs, "unix:uid", NOBODY);
        replace(file);
        assertThat(of(file).getFirst()).isZero();
        assertThat(of(file).getLast()).isEqualTo(0600);
    }

    /** Set user id and the like are no rights to read. */
    @Test
    void nothingBesidesRightsIsTaken() throws IOException {
        Path file = file(directory, 0, 0, 06711);
        replace(file);
        assertThat(of(file).getLast()).isEqualTo(0711);
    }

    /** As a file of a file system that has no rights of its own; here one that the kernel makes. */
    @Test
    void whereNoRightsCanBeGivenItIsLeftAsItIs() throws IOException {
        Path file = file(directory, 0, READER, 0640);
        Path name = Path.of("/proc/self/comm");
        List<Integer> before = of(name);
        Rights.carry(file, name);
        assertThat(of(name)).isEqualTo(before);
    }

    @Test
    void aDiskWithoutASizeHasRoom() {
        Path sizeless = Path.of("/sys");
        assumeTrue(Files.isDirectory(sizeless), "no Linux");
        assertThat(Room.in(sizeless)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void itsAccessControlListIsKept() throws IOException {
        Path file = file(directory, 0, 0, 0600);
        list(file, AccessList.NAME);
        byte[] before = AccessList.read(file).orElseThrow();
        replace(file);
        assertThat(AccessList.read(file)).hasValueSatisfying(l -> assertThat(l).isEqualTo(before));
        assertThat(of(file).getLast()).isEqualTo(0640);
    }

    /** The mode's group bits would open it to whom the folder's list names. */
    @Test
    void aListThatTheFolderGivesToNewFilesLetsNobodyIn() throws IOException {
        Path file = file(directory, 0, 0, 0640);
        list(directory, "system.posix_acl_default");
        replace(file);
        assertThat(AccessList.read(file)).isEmpty();
        assertThat(of(file).getLast()).isEqualTo(0640);
    }

    /** user::rw- user:READER:r-- group::--- mask::r-- other::--- */
    private static void list(Path file, String attribute) throws IOException {
        assumeTrue(NativeCalls.available(), "needs native access");
        int[][] entries = {{1, 6, -1}, {2, 4, READER}, {4, 0, -1}, {16, 4, -1}, {32, 0, -1}};
        ByteBuffer list =
                ByteBuffer.allocate(4 + 8 * entries.length).order(ByteOrder.LITTLE_ENDIAN);
        list.putInt(2); // its version
        for (int[] entry : entries) {
            list.putShort((short) entry[0]).putShort((short) entry[1]).putInt(entry[2]);
        }
        try {
            AccessList.write(file, attribute, list.array());
        } catch (IOException e) {
            assumeTrue(false, "no access control lists here: " + e.getMessage());
        }
    }

    /** As in a container that shows no list of mounts: the JDK can't tell what a disk is. */
    @Test
    void whereNoDiskCanBeAskedItIsWrittenAllTheSame() throws Exception {
        assumeTrue(Inode.me().orElse(-1) == 0, "only root can hide the list of mounts");
        Path file = directory.resolve("vm.snap");
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process =
                new ProcessBuilder(
                                "unshare",
                                "-m",
                                "sh",
                                "-c",
                                "mount --bind /dev/null /proc/$$/mountinfo && mount --bind"
                                        + " /dev/null /proc/$$/mounts && exec \"$@\"",
                                "sh",
                                java,
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Unasked.class.getName(),
                                file.toString())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(process.getInputStream().readAllBytes());
        int exit = process.waitFor();
        assumeTrue(!said.contains("unshare:") && !said.contains("mount:"), said);
        assertThat(exit).as(said).isZero();
        assertThat(said).contains("no store", "complete");
        assertThat(Files.readString(file)).isEqualTo("new");
    }

    /** A process that can't ask. */
    static final class Unasked {
        private Unasked() {}

        public static void main(String[] file) throws IOException {
            Path path = Path.of(file[0]);
            try {
                Files.getFileStore(path.getParent());
                System.out.println("the disk was found all the same");
            } catch (IOException e) {
                System.out.println("no store: " + e.getMessage());
            }
            try (var out =
                    new LocalFileTransport()
                            .outgoing(Address.parse("file:" + path), Options.DEFAULTS)) {
                out.expect(1 << 20);
                out.reserve(1 << 20);
                out.file(false).write(ByteBuffer.wrap("new".getBytes()), 0);
                out.complete();
            }
            System.out.println("complete");
        }
    }
}
