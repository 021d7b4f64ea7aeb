package example.rle;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Parameter;

import java.nio.ByteBuffer;

/** Each run of up to 256 equal bytes becomes two: its length less one, and the byte. */
public final class RleCodec implements CompressionProvider {
    private static final Parameter<Integer> LEVEL = Parameter.count("multifd-rle-level", 1, 1, 1);

    @Override
    public String id() {
        return "rle";
    }

    @Override
    public int wireMethod() {
        return 24; // none of QEMU's: it will refuse this codec
    }

    @Override
    public Parameter<Integer> level() {
        return LEVEL;
    }

    @Override
    public Compressor compressor(int level) {
        return new Packer();
    }

    @Override
    public Decompressor decompressor() {
        return new Unpacker();
    }

    private static final class Packer implements Compressor {
        @Override
        public int maximumOutput(int length) {
            return 2 * length;
        }

        @Override
        public void compress(ByteBuffer source, ByteBuffer target, boolean endOfPacket) {
            while (source.hasRemaining()) {
                byte value = source.get();
                int more = 0;
                while (more < 255
                        && source.hasRemaining()
                        && source.get(source.position()) == value) {
                    source.get();
                    more++;
                }
                target.put((byte) more).put(value);
            }
        }

        @Override
        public void close() {}
    }

    private static final class Unpacker implements Decompressor {
        private int left; // of a run that the last target had no room for
        private byte value;

        @Override
        public void decompress(ByteBuffer source, ByteBuffer target) throws MigrationException {
            while (target.hasRemaining()) {
                if (left == 0) {
                    if (source.remaining() < 2) {
                        throw MigrationException.peer(
                                "rle: the packet's data end %d bytes before its pages do",
                                target.remaining());
                    }
                    left = Byte.toUnsignedInt(source.get()) + 1;
                    value = source.get();
                }
                for (; left > 0 && target.hasRemaining(); left--) target.put(value);
            }
        }

        @Override
        public void endPacket(ByteBuffer source) throws MigrationException {
            if (left > 0 || source.hasRemaining()) {
                throw MigrationException.peer(
                        "rle: the packet's data decode to more than its pages");
            }
        }

        @Override
        public void close() {}
    }
}
