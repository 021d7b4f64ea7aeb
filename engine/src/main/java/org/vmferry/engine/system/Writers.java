package org.vmferry.engine.system;

import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * Who else could have put something where we look for it: only root and the user that runs us may.
 * A group that has its owner's name is taken for his own. Where the system is no Unix nobody else
 * is known.
 */
public final class Writers {
    private static final int MOST_LINKS = 40; // as Linux follows

    private Writers() {}

    /**
     * Of a file or folder, and of all that its name leads through: who owns one of these folders,
     * or writes there, puts another one in its place; who owns a link leads it elsewhere. In a
     * folder as /tmp nobody may but its owner. As OpenSSH's StrictModes, but up to the root, with
     * links, and with folders as /tmp.
     *
     * @param place is there
     * @return who, as the rest of a sentence about it; empty if nobody
     * @throws IOException if it can't be asked
     */
    public static Optional<String> ofAll(Path place) throws IOException {
        Optional<String> other = of(place);
        return other.isPresent() ? other : ofTheWay(place.toAbsolutePath());
    }

    /** Each name after the other, as the system does: links are followed where they stand. */
    private static Optional<String> ofTheWay(Path place) throws IOException {
        Deque<Path> ahead = new ArrayDeque<>();
        place.forEach(ahead::add);
        Optional<String> other = ofFolder(place.getRoot());
        int links = 0;
        for (Path at = place.getRoot(); other.isEmpty() && !ahead.isEmpty(); ) {
            Path next = at.resolve(ahead.pop());
            if (next.endsWith("..")) {
                if (at.getParent() != null) at = at.getParent();
            } else if (Files.isSymbolicLink(next)) {
                if (++links > MOST_LINKS) throw new FileSystemLoopException(place.toString());
                other = owner(Inode.of(next, LinkOption.NOFOLLOW_LINKS));
                other =
                        other.map(
                                who -> "lies behind the link '%s', which %s".formatted(next, who));
                Path target = Files.readSymbolicLink(next);
                for (int i = target.getNameCount(); i > 0; ) ahead.push(target.getName(--i));
                if (target.isAbsolute()) at = target.getRoot();
            } else {
                at = next;
                if (!ahead.isEmpty()) other = ofFolder(at);
            }
        }
        return other;
    }

    /** Who can rename what is in a folder. */
    private static Optional<String> ofFolder(Path folder) throws IOException {
        Optional<Inode> inode = Inode.of(folder);
        boolean sticky = inode.isPresent() && inode.get().isSticky();
        Optional<String> other = sticky ? owner(inode) : ofTarget(folder);
        return other.map(who -> "lies in '%s', which %s".formatted(folder, who));
    }

    /**
     * Of a file or folder itself, and of the link that it may be.
     *
     * @param place is there
     * @return as in {@link #ofAll}
     * @throws IOException if it can't be asked
     */
    public static Optional<String> of(Path place) throws IOException {
        Optional<String> link = owner(Inode.of(place, LinkOption.NOFOLLOW_LINKS));
        return link.isPresent() ? link : ofTarget(place);
    }

    private static Optional<String> ofTarget(Path place) throws IOException {
        Optional<Inode> inode = Inode.of(place);
        Optional<String> owner = owner(inode);
        if (inode.isEmpty() || owner.isPresent()) return owner;
        if (inode.get().othersWrite()) return Optional.of("can be written to by everybody");
        if (!inode.get().groupWrites()) return Optional.empty();
        PosixFileAttributes names = Files.readAttributes(place, PosixFileAttributes.class);
        String group = names.group().getName();
        return group.equals(names.owner().getName())
                ? Optional.empty()
                : Optional.of("can be written to by the group " + group);
    }

    private static Optional<String> owner(Optional<Inode> inode) {
        return inode.filter(it -> it.uid() != 0 && !it.isOurs())
                .map(it -> "belongs to the user " + it.uid());
    }
}
