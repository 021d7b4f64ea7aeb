package org.vmferry.engine.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.Optional;

/**
 * Who else could have put something where we look for it: only root and the user that runs us may.
 * A group that has its owner's name is taken for his own. Where the system is no Unix nobody else
 * is known.
 */
public final class Writers {
    private Writers() {}

    /**
     * Of a folder, and of those that it lies in: who writes there puts another one in its place.
     *
     * @param folder is there
     * @return who, as the rest of a sentence about it; empty if nobody
     * @throws IOException if it can't be asked
     */
    public static Optional<String> ofAll(Path folder) throws IOException {
        Path real = folder.toRealPath();
        Optional<String> other = of(real);
        for (Path at = real.getParent(); at != null && other.isEmpty(); at = at.getParent()) {
            Optional<Inode> inode = Inode.of(at);
            if (inode.isPresent() && inode.get().othersWrite() && !inode.get().isSticky()) {
                other = Optional.of("lies in '" + at + "', to which everybody can write");
            }
        }
        return other;
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
