package org.vmferry.engine.guard;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Parameter;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A codec. What it does not keep of its promises (docs/spi/compression.md) would be taken for the
 * peer's fault, or the link's: so each call is compared with them.
 */
final class GuardedCodec implements CompressionProvider {
    private final Guard guard;
    private final CompressionProvider target;

    GuardedCodec(Guard guard, CompressionProvider target) {
        this.guard = guard;
        this.target = target;
    }

    @Override
    public String id() {
        return guard.plain("id", target::id);
    }

    @Override
    public List<Option<?>> options() {
        return guard.plain("options", target::options);
    }

    @Override
    public int wireMethod() {
        return guard.plain("wireMethod", target::wireMethod);
    }

    @Override
    public Parameter<Integer> level() {
        return guard.plain("level", target::level);
    }

    @Override
    public Compressor compressor(int level) throws IOException {
        return new GuardedCompressor(
                made(call("compressor", Blame.PLUGIN, () -> target.compressor(level))));
    }

    @Override
    public Decompressor decompressor() throws IOException {
        return new GuardedDecompressor(
                made(call("decompressor", Blame.PLUGIN, target::decompressor)));
    }

    /**
     * Nothing but memory is used here: no link is to blame for an exception without a type.
     *
     * @param untyped who is: the peer, whose bytes can't be decoded (rule CMP-8), or the codec
     */
    private <T> T call(String method, Blame untyped, Guard.Call<T> call) throws IOException {
        try {
            return guard.call(method, call);
        } catch (MigrationException e) {
            throw e;
        } catch (IOException e) {
            throw new MigrationException(untyped, guard.who() + ": " + e, e);
        }
    }

    private void run(String method, Blame untyped, Guard.Action action) throws IOException {
        call(method, untyped, action.call());
    }

    private <T> T made(T part) throws IOException {
        if (part == null) throw guard.fault("gave nothing (null) where it should compress");
        return part;
    }

    private final class GuardedCompressor implements Compressor {
        private final Compressor part;

        GuardedCompressor(Compressor part) {
            this.part = part;
        }

        @Override
        public int maximumOutput(int length) {
            return guard.plain(
                    "maximumOutput",
                    () -> {
                        int most = part.maximumOutput(length);
                        if (most > 0 && most <= 2L * length + (64 << 10)) return most;
                        throw guard.fault(
                                "says that %d bytes become %d at the most (rule CMP-6)",
                                length, most);
                    });
        }

        @Override
        public void compress(ByteBuffer source, ByteBuffer output, boolean endOfPacket)
                throws IOException {
            run("compress", Blame.PLUGIN, () -> part.compress(source, output, endOfPacket));
            if (source.hasRemaining()) {
                throw guard.fault("left %d bytes uncompressed (rule CMP-5)", source.remaining());
            }
        }

        @Override
        public void close() {
            guard.end("close", () -> part.close());
        }
    }

    private final class GuardedDecompressor implements Decompressor {
        private final Decompressor part;

        GuardedDecompressor(Decompressor part) {
            this.part = part;
        }

        @Override
        public void decompress(ByteBuffer source, ByteBuffer output) throws IOException {
            run("decompress", Blame.PEER, () -> part.decompress(source, output));
            if (output.hasRemaining()) {
                throw guard.fault(
                        "left %d bytes of its target empty and threw nothing (rule CMP-7)",
                        output.remaining());
            }
        }

        @Override
        public void endPacket(ByteBuffer source) throws IOException {
            run("endPacket", Blame.PEER, () -> part.endPacket(source));
            if (source.hasRemaining()) {
                throw guard.fault(
                        "left %d bytes of a packet and threw nothing (rule CMP-10)",
                        source.remaining());
            }
        }

        @Override
        public void close() {
            guard.end("close", () -> part.close());
        }
    }
}
