package org.vmferry.testkit.parts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.multifd.ZlibCodec;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.compression.CompressionProvider.Compressor;
import org.vmferry.spi.compression.CompressionProvider.Decompressor;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Parameter;
import org.vmferry.testkit.conformance.CompressionConformance;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;

/** Codecs that break one rule each. */
class CompressionTwinsTest {
    @TestFactory
    Stream<DynamicTest> eachIsCaught() {
        return Twins.of(CompressionTwinsTest.class, CompressionConformance.class, "PRV-");
    }

    /** Zlib, of which a twin changes one thing. */
    abstract static class Zlib extends CompressionConformance implements CompressionProvider {
        final CompressionProvider real = new ZlibCodec();

        @Override
        protected CompressionProvider provider() {
            return this;
        }

        @Override
        protected int packet() {
            return 16 * 4096;
        }

        @Override
        public String id() {
            return real.id();
        }

        @Override
        public List<Option<?>> options() {
            return real.options();
        }

        @Override
        public int wireMethod() {
            return real.wireMethod();
        }

        @Override
        public Parameter<Integer> level() {
            return real.level();
        }

        @Override
        public Compressor compressor(int level) throws IOException {
            return new Deflating(level);
        }

        @Override
        public Decompressor decompressor() throws IOException {
            return new Inflating();
        }

        class Deflating implements Compressor {
            private final Compressor real;

            Deflating(int level) throws IOException {
                real = Zlib.this.real.compressor(level);
            }

            @Override
            public int maximumOutput(int length) {
                return real.maximumOutput(length);
            }

            @Override
            public void compress(ByteBuffer source, ByteBuffer target, boolean endOfPacket)
                    throws IOException {
                real.compress(source, target, endOfPacket);
            }

            @Override
            public void close() {
                real.close();
            }
        }

        class Inflating implements Decompressor {
            private final Decompressor real;

            Inflating() throws IOException {
                real = Zlib.this.real.decompressor();
            }

            @Override
            public void decompress(ByteBuffer source, ByteBuffer target) throws IOException {
                real.decompress(source, target);
            }

            @Override
            public void endPacket(ByteBuffer source) throws IOException {
                real.endPacket(source);
            }

            @Override
            public void close() {
                real.close();
            }
        }
    }

    @Breaks("CMP-1")
    static class MethodTooLarge extends Zlib {
        @Override
        public int wireMethod() {
            return 32;
        }
    }

    @Breaks("CMP-1")
    @Says("CMP-1: wireMethod(): 1 is another codec's ==> expected: <zlib> but was: <mine>")
    static class TakesZlibsMethod extends Zlib {
        @Override
        public String id() {
            return "mine";
        }
    }

    /** Nothing else is in its way. */
    @Breaks("PRV-2")
    @Says("PRV-2: options(): 'mine-level' has the default 99, and takes 0 to 9")
    static class DefaultOutOfRange extends Zlib {
        private final Parameter<Integer> level = Parameter.count("mine-level", 99, 0, 9);

        @Override
        public Parameter<Integer> level() {
            return level;
        }

        @Override
        public List<Option<?>> options() {
            return List.of(level);
        }
    }

    @Breaks({"CMP-3", "CMP-6", "CMP-12"})
    @Says({
        "CMP-3: compressor(): level 9, which level() takes (it threw *: no such level)",
        "CMP-6: compressor(): level 9, which level() takes (it threw *: no such level)",
        "CMP-12: compressor(): level 9, which level() takes (it threw *: no such level)",
    })
    static class HasNotAllItsLevels extends Zlib {
        @Override
        public Compressor compressor(int level) throws IOException {
            if (level == 9) throw new IllegalArgumentException("no such level");
            return super.compressor(level);
        }
    }

    /** It sends a byte more than it takes. */
    @Breaks({"CMP-3", "CMP-4", "CMP-5", "CMP-7", "CMP-11"})
    @Says(
            "CMP-11: compressor(): a packet, ZERO: endPacket(), of a packet with 1 bytes left:"
                    + " leaves")
    static class LeavesAByteOver extends Zlib {
        @Override
        public Compressor compressor(int level) throws IOException {
            return new Deflating(level) {
                @Override
                public int maximumOutput(int length) {
                    return super.maximumOutput(length) + 1;
                }

                @Override
                public void compress(ByteBuffer source, ByteBuffer target, boolean endOfPacket)
                        throws IOException {
                    super.compress(source, target, endOfPacket);
                    if (endOfPacket) target.put((byte) 0);
                }
            };
        }

        @Override
        public Decompressor decompressor() throws IOException {
            return new Inflating() {
                @Override
                public void decompress(ByteBuffer source, ByteBuffer target) throws IOException {
                    source.limit(source.limit() - 1);
                    super.decompress(source, target);
                    source.limit(source.limit() + 1);
                }

                @Override
                public void endPacket(ByteBuffer source) throws IOException {
                    source.limit(source.limit() - 1);
                    super.endPacket(source);
                    source.limit(source.limit() + 1);
                }
            };
        }
    }

    @Breaks({"CMP-3", "CMP-4", "CMP-5", "CMP-11"})
    @Says("CMP-11: compressor(): a packet, ZERO: decompress() leaves room in its target ==> *<1>")
    static class FillsAllButAByte extends Zlib {
        @Override
        public Decompressor decompressor() throws IOException {
            return new Inflating() {
                @Override
                public void decompress(ByteBuffer source, ByteBuffer target) throws IOException {
                    boolean whole = target.remaining() == packet();
                    if (whole) target.limit(target.limit() - 1);
                    super.decompress(source, target);
                    if (whole) target.limit(target.limit() + 1);
                }
            };
        }
    }

    @Breaks("CMP-2")
    static class LevelIsNoOption extends Zlib {
        @Override
        public List<Option<?>> options() {
            return List.of();
        }
    }

    @Breaks("CMP-3")
    static class DamagesAtTheBestLevel extends Zlib {
        @Override
        public Compressor compressor(int level) throws IOException {
            return new Deflating(level) {
                @Override
                public void compress(ByteBuffer source, ByteBuffer target, boolean endOfPacket)
                        throws IOException {
                    if (level == 9) source.put(100, (byte) ~source.get(100));
                    super.compress(source, target, endOfPacket);
                }
            };
        }
    }

    @Breaks("CMP-4")
    static class KeepsBytesBackOnce extends Zlib {
        @Override
        public Compressor compressor(int level) throws IOException {
            return new Deflating(level) {
                private int packets;

                @Override
                public void compress(ByteBuffer source, ByteBuffer target, boolean endOfPacket)
                        throws IOException {
                    if (endOfPacket) packets++;
                    super.compress(source, target, endOfPacket && packets != 9);
                }
            };
        }
    }

    @Breaks("CMP-5")
    static class TakesTheFirstPieceTwice extends Zlib {
        @Override
        public Compressor compressor(int level) throws IOException {
            return new Deflating(level) {
                @Override
                public void compress(ByteBuffer source, ByteBuffer target, boolean endOfPacket)
                        throws IOException {
                    super.compress(source, target, endOfPacket);
                    if (!endOfPacket) source.rewind();
                }
            };
        }
    }

    @Breaks("CMP-6")
    static class GivesMoreThanItSays extends Zlib {
        @Override
        public Compressor compressor(int level) throws IOException {
            return new Deflating(level) {
                @Override
                public int maximumOutput(int length) {
                    return length;
                }
            };
        }
    }

    /** Enough for a packet of one call, and not for one of many. */
    @Breaks("CMP-6")
    static class FlushesAtEachCall extends Zlib {
        @Override
        public Compressor compressor(int level) throws IOException {
            return new Deflating(level) {
                @Override
                public int maximumOutput(int length) {
                    return length + length / 1000 + 64;
                }

                @Override
                public void compress(ByteBuffer source, ByteBuffer target, boolean endOfPacket)
                        throws IOException {
                    super.compress(source, target, true);
                }
            };
        }
    }

    @Breaks("CMP-7")
    static class FillsWholePagesOnly extends Zlib {
        @Override
        public Decompressor decompressor() throws IOException {
            return new Inflating() {
                @Override
                public void decompress(ByteBuffer source, ByteBuffer target) throws IOException {
                    if (target.remaining() >= 2048) super.decompress(source, target);
                }
            };
        }
    }

    @Breaks("CMP-8")
    @Says("CMP-8: decompress(), endPacket(): damaged data are the peer's fault: *bad data")
    static class CrashesOnDamage extends Zlib {
        @Override
        public Decompressor decompressor() throws IOException {
            return new Inflating() {
                @Override
                public void decompress(ByteBuffer source, ByteBuffer target) throws IOException {
                    try {
                        super.decompress(source, target);
                    } catch (MigrationException e) {
                        if (e.getMessage().contains("bad data")) throw new IllegalStateException(e);
                        throw e;
                    }
                }
            };
        }
    }

    @Breaks("CMP-9")
    static class LeavesThePagesAsTheyAre extends Zlib {
        @Override
        public Decompressor decompressor() throws IOException {
            return new Inflating() {
                @Override
                public void decompress(ByteBuffer source, ByteBuffer target) throws IOException {
                    try {
                        super.decompress(source, target);
                    } catch (MigrationException e) {
                        if (!e.getMessage().contains("before its pages do")) throw e;
                    }
                }
            };
        }
    }

    @Breaks("CMP-10")
    static class DoesNotLookAtTheRest extends Zlib {
        @Override
        public Decompressor decompressor() throws IOException {
            return new Inflating() {
                @Override
                public void endPacket(ByteBuffer source) {
                    try {
                        super.endPacket(source);
                    } catch (IOException e) {
                        source.position(source.limit());
                    }
                }
            };
        }
    }

    @Breaks("CMP-11")
    static class SharesItsCompressor extends Zlib {
        private Deflating shared;
        private int users;

        @Override
        public Compressor compressor(int level) throws IOException {
            if (users++ > 0) return shared;
            shared =
                    new Deflating(level) {
                        @Override
                        public void close() {
                            if (--users == 0) super.close();
                        }
                    };
            return shared;
        }
    }

    @Breaks("CMP-12")
    static class IgnoresItsLevel extends Zlib {
        @Override
        public Compressor compressor(int level) throws IOException {
            return new Deflating(6);
        }
    }

    @Breaks("CMP-13")
    static class DropsWhatDoesNotFit extends Zlib {
        @Override
        public Compressor compressor(int level) throws IOException {
            return new Deflating(level) {
                @Override
                public void compress(ByteBuffer source, ByteBuffer target, boolean endOfPacket) {
                    try {
                        super.compress(source, target, endOfPacket);
                    } catch (IOException e) {
                        source.position(source.limit());
                    }
                }
            };
        }
    }
}
