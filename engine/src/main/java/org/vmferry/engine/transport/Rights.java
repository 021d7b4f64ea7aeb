package org.vmferry.engine.transport;

import org.slf4j.Logger;
import org.vmferry.engine.system.Inode;
import org.vmferry.engine.system.Writers;
import org.vmferry.spi.Log;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Whose a new file is and who may read it: as the one that it replaces, if that is this user's own,
 * or if root replaces it where nobody else can have put it. Anybody else's may have been planted to
 * read along. What can't be taken over is left out: nobody gets to read what he could not before.
 */
final class Rights {
    private static final Logger log = Log.of(LocalFileTransport.class);
    private static final int OWNERS = 0700;
    private static final int ALL = 0777;
    private static final int GROUPS = 070;

    private Rights() {}

    /**
     * Takes them over.
     *
     * @param from the file that is replaced
     * @param to the new one, which is this user's alone so far
     * @throws IOException if these can't be asked for
     */
    static void carry(Path from, Path to) throws IOException {
        Optional<Inode> asked;
        try {
            asked = Inode.of(from, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            return; // what was to be replaced has gone meanwhile
        }
        if (asked.isEmpty()) return; // no Unix
        Inode before = asked.get();
        Inode now = Inode.of(to, LinkOption.NOFOLLOW_LINKS).orElseThrow();
        if (before.type() != Inode.Type.FILE || !isTrusted(before, now, from)) return;
        int mode = before.mode() & ALL;
        if (before.gid() != now.gid() && !give(to, "unix:gid", before.gid())) mode &= ~GROUPS;
        // Its own list, such as one that the folder gives to each new file, would count, too.
        if (!listed(from, to)) mode &= OWNERS;
        if (before.uid() != now.uid() && !give(to, "unix:uid", before.uid())) return;
        give(to, "unix:mode", mode);
    }

    private static boolean isTrusted(Inode before, Inode now, Path from) throws IOException {
        if (before.uid() == now.uid()) return true;
        return now.uid() == 0 && Writers.ofAll(from.getParent()).isEmpty();
    }

    private static boolean listed(Path from, Path to) {
        if (!AccessList.available()) return true; // can't be asked
        try {
            AccessList.copy(from, to);
            return true;
        } catch (IOException e) {
            log.debug("'{}' gets no other rights than its owner's", to, e);
            return false;
        }
    }

    private static boolean give(Path file, String what, int number) {
        try {
            Files.setAttribute(file, what, number, LinkOption.NOFOLLOW_LINKS);
            return true;
        } catch (IOException e) {
            log.debug("'{}' can't be given {} {}", file, what, number, e);
            return false;
        }
    }
}
