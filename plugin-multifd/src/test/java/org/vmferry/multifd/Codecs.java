package org.vmferry.multifd;

import org.vmferry.spi.compression.CompressionProvider.Compressor;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Helps to use a codec. */
final class Codecs {
    private Codecs() {}

    /** One packet's bytes. */
    static byte[] compress(Compressor compressor, byte[] pages) throws IOException {
        ByteBuffer source = ByteBuffer.allocateDirect(pages.length).put(pages).flip();
        ByteBuffer target = ByteBuffer.allocateDirect(compressor.maximumOutput(pages.length));
        compressor.compress(source, target, true);
        byte[] bytes = new byte[target.flip().remaining()];
        target.get(bytes);
        return bytes;
    }
}
