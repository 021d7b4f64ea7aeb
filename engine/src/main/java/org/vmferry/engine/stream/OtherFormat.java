package org.vmferry.engine.stream;

import java.util.Optional;

/** What is taken for a migration stream and is none, told by its first four bytes. */
public enum OtherFormat {
    /** Of dump-guest-memory. */
    ELF(
            0x7f454c46,
            "an ELF file: as a dump of a guest's memory it is for crash and gdb, and no machine can"
                    + " be made of it, as it has no devices: save the guest with QEMU's migrate or"
                    + " with virsh save"),
    /** Of dump-guest-memory with a format of kdump's. */
    KDUMP(
            0x4b44554d, // "KDUMP   "
            "a kdump, a packed dump of a guest's memory: it is for crash, and no machine can be"
                    + " made of it, as it has no devices: save the guest with QEMU's migrate or"
                    + " with virsh save"),
    /** The same, as it goes through a pipe. */
    FLATTENED_KDUMP(
            0x6d616b65, // "makedumpfile"
            "a flattened kdump, a packed dump of a guest's memory: makedumpfile -R makes one of it"
                    + " that crash reads; no machine can be made of it, as it has no devices: save"
                    + " the guest with QEMU's migrate or with virsh save"),
    /** A disk. */
    QCOW2(
            0x514649fb, // "QFI\xfb"
            "a qcow2 disk image: a guest that savevm kept within it is loaded by QEMU alone, with"
                    + " -loadvm; its migrate then makes a snapshot of it"),
    /** A save image, whose stream stands behind a header. */
    LIBVIRT(0x4c696276, "a libvirt save image: vmferry convert makes a snapshot of it"),
    /** A member of gzip's. */
    GZIP(0x1f8b0800, 0xffffff00, packed("gzip")),
    /** A stream of bzip2's. */
    BZIP2(0x425a6800, 0xffffff00, packed("bzip2")),
    /** A stream of xz's. */
    XZ(0xfd377a58, packed("xz")),
    /** A file of lzop's. */
    LZOP(0x894c5a4f, packed("lzop")),
    /** A frame of zstd's. */
    ZSTD(0x28b52ffd, packed("zstd")),
    /** A frame that zstd passes over, as pzstd writes them before its others. */
    ZSTD_SKIPPED(0x502a4d18, 0xf0ffffff, packed("zstd")),
    /** A frame of lz4's. */
    LZ4(0x04224d18, packed("lz4"));

    private final int first;
    private final int mask;
    private final String description;

    OtherFormat(int first, String description) {
        this(first, -1, description);
    }

    OtherFormat(int first, int mask, String description) {
        this.first = first;
        this.mask = mask;
        this.description = description;
    }

    private static String packed(String by) {
        return "packed with " + by + ": unpack it with " + by + " -dc";
    }

    /**
     * Which it is.
     *
     * @param first four bytes, the first in the highest place
     * @return empty if it is none of these
     */
    public static Optional<OtherFormat> of(int first) {
        for (OtherFormat one : values())
            if ((first & one.mask) == one.first) return Optional.of(one);
        return Optional.empty();
    }

    /**
     * What it is and what to do instead.
     *
     * @return for behind "it is"
     */
    public String description() {
        return description;
    }
}
