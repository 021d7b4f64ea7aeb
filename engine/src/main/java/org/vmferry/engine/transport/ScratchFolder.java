package org.vmferry.engine.transport;

import org.vmferry.engine.system.Inode;
import org.vmferry.spi.Status;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Folders for what a process keeps on its way, in a folder that others may write to, too: nobody
 * else may look into one, nobody knows its name before, and it can be told from one whose process
 * was killed.
 */
@Status(Status.Level.INTERNAL)
public final class ScratchFolder {
    private static final String PREFIX = ".vmferry-archive-";
    private static final Pattern NAME =
            Pattern.compile(Pattern.quote(PREFIX) + "(\\d{1,18})-(\\d{1,18})-[0-9a-f]{32}");

    private ScratchFolder() {}

    /**
     * Makes one.
     *
     * @param parent where
     * @return empty; to be removed by the caller
     * @throws IOException if that is not possible
     */
    public static Path in(Path parent) throws IOException {
        FileAttribute<?>[] mode =
                OpenFile.posix(parent)
                        ? new FileAttribute<?>[] {
                            PosixFilePermissions.asFileAttribute(
                                    PosixFilePermissions.fromString("rwx------"))
                        }
                        : new FileAttribute<?>[0];
        return Files.createDirectory(parent.resolve(PREFIX + Unfinished.maker()), mode);
    }

    /**
     * Those whose process was killed: folders of this user's, of processes that are gone here, with
     * no file in them that any process holds a lock on.
     *
     * @param parent where
     * @return may be removed; empty where it can't be told
     */
    public static List<Path> leftIn(Path parent) {
        List<Path> found = new ArrayList<>();
        try (var all = Files.newDirectoryStream(parent, PREFIX + "*")) {
            for (Path each : all) if (isLeft(each)) found.add(each);
        } catch (IOException | DirectoryIteratorException e) {
            // It is a courtesy; who writes there will be told what is wrong.
        }
        return found;
    }

    private static boolean isLeft(Path folder) {
        Matcher maker = NAME.matcher(folder.getFileName().toString());
        if (!maker.matches()) return false;
        try {
            Optional<Inode> inode = Inode.of(folder, LinkOption.NOFOLLOW_LINKS);
            if (inode.isPresent() && !Unfinished.isOurs(inode.get(), Inode.Type.FOLDER))
                return false;
            boolean lives =
                    ProcessHandle.of(Long.parseLong(maker.group(1)))
                            .filter(
                                    process ->
                                            Unfinished.start(process)
                                                    == Long.parseLong(maker.group(2)))
                            .isPresent();
            // It may live in another container: its files are locked then.
            return !lives && !Unfinished.anyAlive(folder).orElse(false);
        } catch (IOException e) {
            return false;
        }
    }
}
