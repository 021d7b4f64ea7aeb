package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.system.Inode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

class ScratchFolderTest {
    private static final String RANDOM = "0123456789abcdef0123456789abcdef";

    @TempDir Path parent;

    private Path dead(String random) {
        return parent.resolve(".vmferry-archive-999999999-1-" + random);
    }

    @Test
    void nobodyElseLooksIntoIt() throws IOException {
        Path folder = ScratchFolder.in(parent);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                .isEqualTo("rwx------");
        assertThat(ScratchFolder.in(parent)).isNotEqualTo(folder);
        assertThat(ScratchFolder.leftIn(parent)).as("of a living process").isEmpty();
    }

    @Test
    void whatAKilledOneLeftIsNamed() throws IOException {
        Path left = Files.createDirectory(dead(RANDOM));
        Files.writeString(left.resolve(".vmferry-00000000-999999999-1-" + RANDOM + ".part"), "x");
        assertThat(ScratchFolder.leftIn(parent)).containsExactly(left);
    }

    @Test
    void aProcessThatThisOneDoesNotSeeHoldsALock() throws IOException {
        Path left = Files.createDirectory(dead(RANDOM));
        Path part = left.resolve(".vmferry-00000000-999999999-1-" + RANDOM + ".part");
        Files.writeString(part, "x");
        try (OpenFile open =
                OpenFile.open(part, 0, Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE))) {
            open.mark();
            assertThat(ScratchFolder.leftIn(parent)).isEmpty();
        }
        assertThat(ScratchFolder.leftIn(parent)).containsExactly(left);
    }

    /** It may have been planted to be named. */
    @Test
    void whatIsNoFolderOfOursUnderTheWholeNameIsNotNamed() throws IOException {
        Files.createDirectory(parent.resolve(".vmferry-archive-of-somebody-else"));
        Files.createDirectory(parent.resolve(".vmferry-archive-1-1-x'; touch PWNED; echo '"));
        Files.createDirectory(dead("x"));
        Files.writeString(dead(RANDOM), "no folder");
        Files.createSymbolicLink(dead(RANDOM.replace('0', '1')), parent);
        if (Inode.me().orElse(-1) == 0) {
            Path anothers = Files.createDirectory(dead(RANDOM.replace('0', '2')));
            Files.setAttribute(anothers, "unix:uid", 65534, LinkOption.NOFOLLOW_LINKS);
        }
        assertThat(ScratchFolder.leftIn(parent)).isEmpty();
    }
}
