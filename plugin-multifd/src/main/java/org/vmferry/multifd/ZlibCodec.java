package org.vmferry.multifd;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Parameter;

import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** The codec zlib, with what the JDK has. Found by ServiceLoader. */
public final class ZlibCodec implements CompressionProvider {
    @Override
    public String id() {
        return "zlib";
    }

    @Override
    public int wireMethod() {
        return 1;
    }

    @Override
    public Parameter<Integer> level() {
        return MultifdOptions.ZLIB_LEVEL;
    }

    @Override
    public Compressor compressor(int level) {
        return new ZlibCompressor(new Deflater(level));
    }

    @Override
    public Decompressor decompressor() {
        return new ZlibDecompressor(new Inflater());
    }

    private record ZlibCompressor(Deflater deflater) implements Compressor {
        @Override
        public int maximumOutput(int length) {
            // zlib's own bound for any setting, the stream's head, a block's head and a flush.
            return Math.addExact(length, (length >>> 3) + (length >>> 6) + 64);
        }

        @Override
        public void compress(ByteBuffer source, ByteBuffer target, boolean endOfPacket)
                throws MigrationException {
            deflater.setInput(source);
            int flush = endOfPacket ? Deflater.SYNC_FLUSH : Deflater.NO_FLUSH;
            // Without room left it is unknown whether more is to come.
            while (target.hasRemaining()) {
                if (deflater.deflate(target, flush) == 0 && deflater.needsInput()) return;
            }
            throw new MigrationException(
                    Blame.PLUGIN, "zlib gave more than " + target.capacity() + " bytes");
        }

        @Override
        public void close() {
            deflater.end();
        }
    }

    private record ZlibDecompressor(Inflater inflater) implements Decompressor {
        @Override
        public void decompress(ByteBuffer source, ByteBuffer target) throws MigrationException {
            inflater.setInput(source);
            while (target.hasRemaining()) {
                if (inflate(target) > 0) continue;
                throw MigrationException.peer(
                        "zlib: the packet's data end %d bytes before its pages do",
                        target.remaining());
            }
        }

        @Override
        public void endPacket(ByteBuffer source) throws MigrationException {
            inflater.setInput(source);
            // A flush leaves bytes that decode to nothing; they have to be read nevertheless.
            if (inflate(ByteBuffer.allocate(1)) > 0) {
                throw MigrationException.peer(
                        "zlib: the packet's data decode to more than its pages");
            }
            if (source.hasRemaining()) {
                throw MigrationException.peer(
                        "zlib: %d bytes follow the packet's pages", source.remaining());
            }
        }

        private int inflate(ByteBuffer target) throws MigrationException {
            try {
                int bytes = inflater.inflate(target);
                if (inflater.needsDictionary()) {
                    throw MigrationException.peer("zlib: the data ask for a dictionary");
                }
                if (bytes == 0 && inflater.finished()) {
                    throw MigrationException.peer("zlib: the stream was finished, not flushed");
                }
                return bytes;
            } catch (DataFormatException e) {
                throw new MigrationException(Blame.PEER, "zlib: bad data: " + e.getMessage(), e);
            }
        }

        @Override
        public void close() {
            inflater.end();
        }
    }
}
