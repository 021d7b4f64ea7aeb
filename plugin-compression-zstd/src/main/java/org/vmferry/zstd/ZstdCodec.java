package org.vmferry.zstd;

import com.github.luben.zstd.EndDirective;
import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Parameter;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The codec zstd. Found by ServiceLoader. */
public final class ZstdCodec implements CompressionProvider {
    /** From zstd's own default, which is 0, over fast, which is 1, to best. */
    public static final Parameter<Integer> LEVEL = Parameter.count("multifd-zstd-level", 1, 0, 20);

    private static final String FOLDER = "ZstdTempFolder"; // zstd-jni's

    @Override
    public String id() {
        return "zstd";
    }

    @Override
    public int wireMethod() {
        return 2;
    }

    @Override
    public Parameter<Integer> level() {
        return LEVEL;
    }

    @Override
    public Compressor compressor(int level) throws MigrationException {
        try {
            ZstdCompressCtx context = new ZstdCompressCtx();
            try {
                return new ZstdCompressor(context.setLevel(level));
            } catch (RuntimeException | Error e) {
                context.close();
                throw e;
            }
        } catch (LinkageError e) {
            throw noLibrary(e);
        }
    }

    @Override
    public Decompressor decompressor() throws MigrationException {
        try {
            ZstdDecompressCtx context = new ZstdDecompressCtx();
            try {
                return new ZstdDecompressor(context);
            } catch (RuntimeException | Error e) {
                context.close();
                throw e;
            }
        } catch (LinkageError e) {
            throw noLibrary(e);
        }
    }

    /** Its classes are missing, or of no use without their native part. */
    static MigrationException noLibrary(LinkageError cause) {
        String said = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
        boolean missing =
                cause instanceof NoClassDefFoundError && !said.startsWith("Could not initialize");
        String folder = System.getProperty(FOLDER, System.getProperty("java.io.tmpdir"));
        // It was loaded, and has no function of that name: the JVM quotes what it looked for.
        if (cause instanceof UnsatisfiedLinkError && said.startsWith("'"))
            return new MigrationException(
                    Blame.PLUGIN,
                    "zstd's native part has nothing for its classes: zstd-jni must not be relocated"
                            + " into another package, and java.library.path have no other version"
                            + " of it ("
                            + said
                            + ")",
                    cause);
        return new MigrationException(
                Blame.PLUGIN,
                missing
                        ? "zstd can't be loaded: add com.github.luben:zstd-jni (" + said + ")"
                        : "zstd's native part for %s %s can't be loaded out of '%s', as where that folder is mounted noexec: set -D%s=DIR to one that libraries are loaded from (%s)"
                                .formatted(
                                        System.getProperty("os.name"),
                                        System.getProperty("os.arch"),
                                        folder,
                                        FOLDER,
                                        said),
                cause);
    }

    private record ZstdCompressor(ZstdCompressCtx context) implements Compressor {
        /** The frame's head, and a block's for what a flush cuts short. */
        private static final int HEADS = 64;

        @Override
        public int maximumOutput(int length) {
            return Math.toIntExact(Zstd.compressBound(length) + HEADS);
        }

        @Override
        public void compress(ByteBuffer source, ByteBuffer target, boolean endOfPacket)
                throws MigrationException {
            EndDirective directive = endOfPacket ? EndDirective.FLUSH : EndDirective.CONTINUE;
            try {
                boolean flushed = false;
                while (source.hasRemaining() || endOfPacket && !flushed) {
                    if (!target.hasRemaining()) {
                        throw new MigrationException(
                                Blame.PLUGIN,
                                "zstd gave more than " + target.capacity() + " bytes");
                    }
                    flushed = context.compressDirectByteBufferStream(target, source, directive);
                }
            } catch (ZstdException e) {
                throw new MigrationException(Blame.PLUGIN, "zstd: " + e.getMessage(), e);
            }
        }

        @Override
        public void close() {
            context.close();
        }
    }

    private static final class ZstdDecompressor implements Decompressor {
        private final ZstdDecompressCtx context;
        private final Arena arena = Arena.ofShared(); // who closes it may be another thread
        private final ByteBuffer scratch = arena.allocate(1).asByteBuffer();
        private boolean betweenFrames = true;

        ZstdDecompressor(ZstdDecompressCtx context) {
            this.context = context;
        }

        @Override
        public void decompress(ByteBuffer source, ByteBuffer target) throws MigrationException {
            while (target.hasRemaining()) {
                if (step(source, target)) continue;
                throw MigrationException.peer(
                        "zstd: the packet's data end %d bytes before its pages do",
                        target.remaining());
            }
        }

        @Override
        public void endPacket(ByteBuffer source) throws MigrationException {
            // A flush leaves bytes that decode to nothing; they have to be read nevertheless.
            while (step(source, scratch.clear())) {
                if (scratch.position() > 0) {
                    throw MigrationException.peer(
                            "zstd: the packet's data decode to more than its pages");
                }
            }
            if (source.hasRemaining()) {
                throw MigrationException.peer(
                        "zstd: %d bytes follow the packet's pages", source.remaining());
            }
        }

        /** Decodes what there is; false if that moved nothing. */
        private boolean step(ByteBuffer source, ByteBuffer target) throws MigrationException {
            int before = source.remaining() + target.remaining();
            if (betweenFrames && source.hasRemaining()) {
                FrameHeader.check(source.duplicate().order(ByteOrder.LITTLE_ENDIAN));
                betweenFrames = false;
            }
            try {
                betweenFrames |= context.decompressDirectByteBufferStream(target, source);
            } catch (ZstdException e) {
                throw new MigrationException(Blame.PEER, "zstd: bad data: " + e.getMessage(), e);
            }
            return source.remaining() + target.remaining() < before;
        }

        @Override
        public void close() {
            context.close();
            if (arena.scope().isAlive()) arena.close();
        }
    }
}
