package org.vmferry.cli.input;

import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.tukaani.xz.SingleXZInputStream;
import org.vmferry.engine.stream.OtherFormat;
import org.vmferry.zstd.ZstdFrames;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** With what a file may be packed. */
public enum Packing {
    /** RFC 1952. */
    GZIP("gzip -dc"),
    /** As bzip2 does. */
    BZIP2("bzip2 -dc"),
    /** As xz does. */
    XZ("xz -dc"),
    /** As lzop does; not read. */
    LZOP("lzop -dc"),
    /** RFC 8878. */
    ZSTD("zstd -dc --long=31"),
    /** As lz4 does; not read. */
    LZ4("lz4 -dc");

    /** What xz itself takes to unpack what its largest level packed, and a little more; KiB. */
    private static final int XZ_MEMORY = 66 << 10;

    private final String command;

    Packing(String command) {
        this.command = command;
    }

    /**
     * What data are packed with.
     *
     * @param first their first four bytes, the first in the highest place
     * @return empty if they are not packed, or with something else
     */
    public static Optional<Packing> of(int first) {
        return OtherFormat.of(first)
                .map(
                        format ->
                                switch (format) {
                                    case GZIP -> GZIP;
                                    case BZIP2 -> BZIP2;
                                    case XZ -> XZ;
                                    case LZOP -> LZOP;
                                    case ZSTD, ZSTD_SKIPPED -> ZSTD;
                                    case LZ4 -> LZ4;
                                    case ELF, KDUMP, FLATTENED_KDUMP, QCOW2, LIBVIRT -> null;
                                });
    }

    /**
     * By its program's name.
     *
     * @param id the name
     * @return empty if there is none of that name
     */
    public static Optional<Packing> named(String id) {
        for (Packing one : values()) if (one.id().equals(id)) return Optional.of(one);
        return Optional.empty();
    }

    /**
     * The name of the program that packs so.
     *
     * @return for messages
     */
    public String id() {
        return command.substring(0, command.indexOf(' '));
    }

    /**
     * What unpacks standard input to standard output.
     *
     * @return a command with its options
     */
    public String command() {
        return command;
    }

    /**
     * Whether it is read here.
     *
     * @return false if it has to be unpacked by its program
     */
    public boolean isRead() {
        return this != LZOP && this != LZ4;
    }

    /**
     * Unpacks one member: what one run of the program writes. Of zstd's, all that follow.
     *
     * @param in at the member's beginning; is read no further than the member goes. It marks, and
     *     closing it does nothing
     */
    InputStream member(InputStream in) throws IOException {
        return switch (this) {
            case GZIP ->
                    GzipCompressorInputStream.builder()
                            .setInputStream(in)
                            .setDecompressConcatenated(false)
                            .get();
            case BZIP2 -> new BZip2CompressorInputStream(in, false);
            case XZ -> new SingleXZInputStream(in, XZ_MEMORY);
            case ZSTD -> new ZstdFrames(in);
            case LZOP, LZ4 -> throw new IllegalStateException(id() + " is not read");
        };
    }
}
