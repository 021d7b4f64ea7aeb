package org.vmferry.cli;

import com.github.luben.zstd.ZstdOutputStream;

import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;

/** Packs as the programs do. */
public enum Packer {
    GZIP(1),
    BZIP2(2),
    XZ(3),
    ZSTD(5);

    /** In libvirt's header. */
    public final int format;

    Packer(int format) {
        this.format = format;
    }

    /** The program's name. */
    public String id() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    /** Packs what is written to it. */
    public OutputStream over(OutputStream out) throws IOException {
        return switch (this) {
            case GZIP -> new GZIPOutputStream(out);
            case BZIP2 -> new BZip2CompressorOutputStream(out);
            case XZ -> new XZOutputStream(out, new LZMA2Options(1));
            case ZSTD -> new ZstdOutputStream(out).setChecksum(true);
        };
    }

    /** As one run of the program. */
    public byte[] pack(byte[] bytes) throws IOException {
        var packed = new ByteArrayOutputStream();
        try (OutputStream out = over(packed)) {
            out.write(bytes);
        }
        return packed.toByteArray();
    }

    /** As several runs of the program, one behind the other. */
    public byte[] packInParts(byte[] bytes, int parts) throws IOException {
        var packed = new ByteArrayOutputStream();
        for (int part = 0; part < parts; part++) {
            int from = (int) ((long) bytes.length * part / parts);
            int to = (int) ((long) bytes.length * (part + 1) / parts);
            packed.write(pack(Arrays.copyOfRange(bytes, from, to)));
        }
        return packed.toByteArray();
    }
}
