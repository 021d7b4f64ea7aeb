package org.vmferry.it.support;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** What an archive keeps of a QEMU's guest. */
public final class Archives {
    private Archives() {}

    /**
     * Where the archive's RAM differs from what the CPU saw, but for the BIOS that lies over it
     * there.
     */
    public static int mismatch(ArchiveMachine archive, byte[] ram) {
        byte[] seen = ram.clone();
        Arrays.fill(seen, 0xf0000, 0x100000, (byte) 0);
        return Arrays.mismatch(ram(archive), seen);
    }

    /** All of the guest's RAM. */
    public static byte[] ram(ArchiveMachine archive) {
        RamBlock block =
                archive.ram().blocks().stream()
                        .filter(b -> b.id().equals("pc.ram"))
                        .findFirst()
                        .orElseThrow();
        byte[] bytes = new byte[Math.toIntExact(block.usedLength())];
        block.read(0, MemorySegment.ofArray(bytes));
        return bytes;
    }
}
