package org.vmferry.it.fuzz;

import com.github.luben.zstd.Zstd;

import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.zip.GZIPOutputStream;

/** Packs by libvirt's numbers: 0 not, 1 gzip, 2 bzip2, 3 xz, 5 zstd. */
final class Packed {
    private Packed() {}

    /** Empty for what can't be packed here. */
    static byte[] with(int format, byte[] bytes) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        switch (format) {
            case 0 -> packed.writeBytes(bytes);
            case 5 -> packed.writeBytes(Zstd.compress(bytes));
            case 1, 2, 3 -> {
                try (OutputStream out = over(format, packed)) {
                    out.write(bytes);
                }
            }
            default -> {
                // lzop: nobody here writes it
            }
        }
        return packed.toByteArray();
    }

    private static OutputStream over(int format, OutputStream out) throws IOException {
        return switch (format) {
            case 1 -> new GZIPOutputStream(out);
            case 2 -> new BZip2CompressorOutputStream(out);
            default -> new XZOutputStream(out, new LZMA2Options(1));
        };
    }
}
