package org.vmferry.it.support;

import org.vmferry.cli.archive.ArchiveMachine;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;

/** What an archive keeps of a QEMU's guest. */
public final class Archives {
    private Archives() {}

    /**
     * Where the archive's RAM differs from what the CPU saw, but for the BIOS that lies over it
     * there.
     */
    public static int mismatch(ArchiveMachine archive, byte[] ram) throws IOException {
        byte[] seen = ram.clone();
        Arrays.fill(seen, 0xf0000, 0x100000, (byte) 0);
        return Arrays.mismatch(Files.readAllBytes(archive.file("pc.ram").orElseThrow()), seen);
    }
}
