package org.vmferry.testkit.parts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.transport.FileTransport;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ForwardingFile;
import org.vmferry.spi.transport.PositionedFile;
import org.vmferry.spi.transport.TransportProvider;
import org.vmferry.testkit.conformance.TransportConformance;
import org.vmferry.testkit.fault.ForwardingChannel;
import org.vmferry.testkit.fault.ForwardingIncoming;
import org.vmferry.testkit.fault.ForwardingOutgoing;
import org.vmferry.testkit.fault.ForwardingTransport;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** Transports that break one rule each. */
class TransportTwinsTest {
    @TestFactory
    Stream<DynamicTest> eachIsCaught() {
        return Twins.of(TransportTwinsTest.class, TransportConformance.class);
    }

    /** Tcp, of which a twin changes one thing. */
    abstract static class Tcp extends TransportConformance {
        @Override
        protected Duration patience() {
            return Duration.ofSeconds(5);
        }

        @Override
        protected TransportProvider provider() {
            return new Twin(new TcpTransport());
        }

        @Override
        protected Address destination() {
            return new Address("tcp", "127.0.0.1:0");
        }

        @Override
        protected Optional<Address> nonsense() {
            return Optional.of(new Address("tcp", "127.0.0.1:many"));
        }

        Channel channel(Channel channel) {
            return channel;
        }

        Source outgoing(Source end) {
            return new Source(end);
        }

        Destination incoming(Destination end) {
            return end;
        }

        class Source extends ForwardingOutgoing {
            Source(TransportProvider.Outgoing end) {
                super(end);
            }

            @Override
            protected Channel over(Channel channel) {
                return channel(channel);
            }
        }

        class Destination extends ForwardingIncoming {
            Destination(TransportProvider.Incoming end) {
                super(end, "tcp");
            }

            @Override
            protected Channel over(Channel channel) {
                return channel(channel);
            }
        }

        class Twin extends ForwardingTransport {
            Twin(TransportProvider real) {
                super(real, real.id());
            }

            @Override
            protected TransportProvider.Outgoing over(TransportProvider.Outgoing end) {
                return Tcp.this.outgoing(new Source(end));
            }

            @Override
            protected TransportProvider.Incoming over(TransportProvider.Incoming end) {
                return Tcp.this.incoming(new Destination(end));
            }
        }
    }

    @Breaks("PRV-1")
    static class BadId extends Tcp {
        @Override
        protected TransportProvider provider() {
            return new Twin(new TcpTransport()) {
                private final AtomicInteger asked = new AtomicInteger();

                @Override
                public String id() {
                    return asked.getAndIncrement() == 0 ? "tcp" : "TCP";
                }
            };
        }
    }

    @Breaks("PRV-2")
    static class OptionTwice extends Tcp {
        @Override
        protected TransportProvider provider() {
            return new Twin(new TcpTransport()) {
                @Override
                public List<Option<?>> options() {
                    Option<?> option = Parameter.flag("same", false);
                    return List.of(option, option);
                }
            };
        }
    }

    @Breaks("TRN-1")
    static class ClaimsOnlyOnce extends Tcp {
        @Override
        protected TransportProvider provider() {
            AtomicInteger asked = new AtomicInteger();
            return new Twin(new TcpTransport()) {
                @Override
                public Set<Feature> features() {
                    return asked.getAndIncrement() == 0 ? super.features() : Set.of();
                }
            };
        }
    }

    @Breaks("TRN-3")
    static class TakesNonsense extends Tcp {
        @Override
        protected TransportProvider provider() {
            return new Twin(new TcpTransport()) {
                @Override
                public TransportProvider.Outgoing outgoing(Address address, Options options)
                        throws MigrationException {
                    boolean nonsense = address.target().endsWith("many");
                    return super.outgoing(
                            nonsense ? new Address("tcp", "127.0.0.1:1") : address, options);
                }
            };
        }
    }

    @Breaks("TRN-4")
    static class NobodyIsNoIOException extends Tcp {
        @Override
        Source outgoing(Source end) {
            return new Source(end) {
                @Override
                public Channel open() throws IOException {
                    try {
                        return super.open();
                    } catch (IOException e) {
                        if (e.getMessage().contains("given up")) throw e;
                        throw new IllegalStateException(e);
                    }
                }
            };
        }
    }

    @Breaks("TRN-5")
    static class FileNotClaimed extends Tcp {
        @Override
        Destination incoming(Destination end) {
            return new Destination(end) {
                @Override
                public PositionedFile file(boolean direct) {
                    return null;
                }
            };
        }
    }

    @Breaks("TRN-7")
    static class ManyNotClaimed extends Tcp {
        @Override
        protected TransportProvider provider() {
            return new Twin(new TcpTransport()) {
                @Override
                public Set<Feature> features() {
                    return Set.of(Feature.RETURN_PATH);
                }
            };
        }
    }

    @Breaks("TRN-8")
    static class OtherScheme extends Tcp {
        @Override
        Destination incoming(Destination end) {
            return new Destination(end) {
                @Override
                public Address address() {
                    return new Address("TCP", super.address().target());
                }
            };
        }
    }

    @Breaks("TRN-9")
    static class DamagesAByte extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new ForwardingChannel(channel) {
                @Override
                public int write(ByteBuffer source) throws IOException {
                    if (source.remaining() == 4095) source.put(7, (byte) (source.get(7) + 1));
                    return super.write(source);
                }
            };
        }
    }

    @Breaks("TRN-10")
    static class IgnoresTheOffset extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new ForwardingChannel(channel) {
                @Override
                public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
                    return super.write(sources, offset, length - 1); // all but the last
                }
            };
        }
    }

    @Breaks("TRN-11")
    static class ReadsNothing extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new ForwardingChannel(channel) {
                private boolean second;

                @Override
                public int read(ByteBuffer target) throws IOException {
                    boolean first = !second;
                    second = true;
                    return first && target.remaining() == 10 ? 0 : super.read(target);
                }
            };
        }
    }

    @Breaks("TRN-12")
    static class KeepsTheEnd extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new ForwardingChannel(channel) {
                @Override
                public void shutdownOutput() {}
            };
        }
    }

    @Breaks("TRN-13")
    static class EndsBothDirections extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new ForwardingChannel(channel) {
                @Override
                public void shutdownOutput() throws IOException {
                    super.shutdownOutput();
                    close();
                }
            };
        }
    }

    @Breaks("TRN-14")
    static class OneAtATime extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new ForwardingChannel(channel) {
                private volatile boolean written;

                /** Who wants much waits until much was written. */
                @Override
                public int read(ByteBuffer target) throws IOException {
                    while (target.remaining() > 10 << 20 && !written && isOpen())
                        Thread.onSpinWait();
                    return super.read(target);
                }

                @Override
                public int write(ByteBuffer source) throws IOException {
                    int count = source.remaining();
                    while (source.hasRemaining()) super.write(source);
                    if (count > 10 << 20) written = true;
                    return count;
                }
            };
        }
    }

    @Breaks("TRN-15")
    static class ClosesLater extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new ForwardingChannel(channel) {
                private boolean closed;

                @Override
                public int write(ByteBuffer source) throws IOException {
                    if (closed) throw new IOException("closed");
                    return super.write(source);
                }

                @Override
                public boolean isOpen() {
                    return !closed && super.isOpen();
                }

                @Override
                public void close() throws IOException {
                    closed = true;
                    super.shutdownOutput();
                }
            };
        }
    }

    /** Leaves channels alone when it is released. */
    @Breaks({"TRN-16", "TRN-17"})
    static class ForgetsItsChannels extends Tcp {
        @Override
        Source outgoing(Source end) {
            return new Source(end) {
                private boolean used;
                private boolean released;

                @Override
                public Channel open() throws IOException {
                    if (released) throw new IOException("given up");
                    used = true;
                    return super.open();
                }

                @Override
                public void release() {
                    released = true;
                    if (!used) super.release();
                }
            };
        }

        @Override
        Destination incoming(Destination end) {
            return new Destination(end) {
                private boolean used;
                private boolean released;

                @Override
                public Channel accept() throws IOException {
                    if (released) throw new IOException("given up");
                    Channel channel = super.accept();
                    used = true;
                    return channel;
                }

                @Override
                public void release() {
                    released = true;
                    if (!used) super.release();
                }
            };
        }
    }

    @Breaks("TRN-18")
    static class GoesOnAccepting extends Tcp {
        @Override
        Destination incoming(Destination end) {
            return new Destination(end) {
                private boolean asked;
                private boolean used;
                private boolean released;

                @Override
                public Channel accept() throws IOException {
                    if (released) throw new IOException("given up");
                    asked = true;
                    Channel channel = super.accept();
                    used = true;
                    return channel;
                }

                @Override
                public void release() {
                    released = true;
                    if (used || !asked) super.release();
                }
            };
        }
    }

    @Breaks("TRN-19")
    static class OpensAfterRelease extends Tcp {
        @Override
        protected TransportProvider provider() {
            return new Twin(new TcpTransport()) {
                @Override
                public TransportProvider.Outgoing outgoing(Address address, Options options)
                        throws MigrationException {
                    TransportProvider.Outgoing spare = real.outgoing(address, options);
                    return new Source(super.outgoing(address, options)) {
                        private boolean released;

                        @Override
                        public Channel open() throws IOException {
                            return released ? spare.open() : super.open();
                        }

                        @Override
                        public void release() {
                            released = true;
                            super.release();
                        }

                        @Override
                        public void close() {
                            super.close();
                            spare.close();
                        }
                    };
                }
            };
        }
    }

    @Breaks("TRN-20")
    static class HasEnoughAtThree extends Tcp {
        @Override
        Source outgoing(Source end) {
            return new Source(end) {
                private final AtomicInteger opened = new AtomicInteger();

                @Override
                public Channel open() throws IOException {
                    if (opened.incrementAndGet() > 3) throw new IOException("no more");
                    return super.open();
                }
            };
        }
    }

    @Breaks("TRN-32")
    static class Nameless extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new ForwardingChannel(channel) {
                @Override
                public String peer() {
                    return null;
                }
            };
        }
    }

    @Breaks("TRN-33")
    static class TakesBytesWhenClosed extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new ForwardingChannel(channel) {
                private boolean closed;

                @Override
                public int write(ByteBuffer source) throws IOException {
                    if (!closed) return super.write(source);
                    int count = source.remaining();
                    source.position(source.limit());
                    return count;
                }

                @Override
                public void close() throws IOException {
                    closed = true;
                    super.close();
                }
            };
        }
    }

    @Breaks("TRN-35")
    static class EachOfItsOwnOrigin extends Tcp {
        @Override
        Channel channel(Channel channel) {
            return new ForwardingChannel(channel) {
                @Override
                public String origin() {
                    return channel.peer();
                }
            };
        }
    }

    @Breaks("TRN-36")
    static class WaitsForWhatHasCome extends Tcp {
        @Override
        Destination incoming(Destination end) {
            return new Destination(end) {
                @Override
                public Optional<Channel> acceptNow() throws IOException {
                    return Optional.of(accept());
                }
            };
        }
    }

    /** A file, of which a twin changes one thing. */
    abstract static class InFile extends TransportConformance {
        @TempDir Path folder;
        private int count;

        @Override
        protected TransportProvider provider() {
            return new Twin();
        }

        @Override
        protected Address destination() {
            return new Address("file", folder.resolve("file-" + count++).toString());
        }

        PositionedFile file(PositionedFile file, boolean direct) {
            return file;
        }

        Source outgoing(Source end, Path path) {
            return end;
        }

        class Source extends ForwardingOutgoing {
            Source(TransportProvider.Outgoing end) {
                super(end);
            }

            @Override
            protected PositionedFile over(PositionedFile file, boolean direct) {
                return InFile.this.file(file, direct);
            }
        }

        class Twin extends ForwardingTransport {
            Twin() {
                super(new FileTransport(), "file");
            }

            @Override
            public TransportProvider.Outgoing outgoing(Address address, Options options)
                    throws MigrationException {
                return InFile.this.outgoing(
                        new Source(real.outgoing(address, options)), Path.of(address.target()));
            }

            @Override
            protected TransportProvider.Incoming over(TransportProvider.Incoming end) {
                return new ForwardingIncoming(end, "file") {
                    @Override
                    protected PositionedFile over(PositionedFile file, boolean direct) {
                        return InFile.this.file(file, direct);
                    }
                };
            }
        }
    }

    @Breaks("TRN-2")
    static class MakesTheFileTooEarly extends InFile {
        @Override
        Source outgoing(Source end, Path path) {
            try {
                if (!Files.exists(path)) Files.createFile(path);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
            return new Source(end) {
                @Override
                public PositionedFile file(boolean direct) throws IOException {
                    if (Files.exists(path) && Files.size(path) == 0) Files.delete(path);
                    return super.file(direct);
                }
            };
        }
    }

    @Breaks("TRN-6")
    static class ChannelsOfAFile extends InFile {
        @Override
        Source outgoing(Source end, Path path) {
            return new Source(end) {
                @Override
                public Channel open() {
                    return null;
                }
            };
        }
    }

    @Breaks("TRN-21")
    static class LosesAPiece extends InFile {
        @Override
        PositionedFile file(PositionedFile file, boolean direct) {
            return new ForwardingFile(file) {
                @Override
                public void write(ByteBuffer source, long position) throws IOException {
                    if (position != 500_000) super.write(source, position);
                }
            };
        }
    }

    @Breaks("TRN-22")
    static class AnotherFileEachTime extends InFile {
        @Override
        Source outgoing(Source end, Path path) {
            return new Source(end) {
                @Override
                public PositionedFile file(boolean direct) throws IOException {
                    return new ForwardingFile(super.file(direct));
                }
            };
        }
    }

    @Breaks("TRN-23")
    static class KeepsWhatIsNotComplete extends InFile {
        @Override
        Source outgoing(Source end, Path path) {
            return new Source(end) {
                private boolean used;

                @Override
                public PositionedFile file(boolean direct) throws IOException {
                    used = true;
                    return super.file(direct);
                }

                @Override
                public void close() {
                    super.close();
                    if (used && !Files.exists(path)) {
                        try {
                            Files.write(path, new byte[1000]);
                        } catch (IOException e) {
                            throw new IllegalStateException(e);
                        }
                    }
                }
            };
        }
    }

    @Breaks("TRN-24")
    static class RemovesWhatStoodThere extends InFile {
        @Override
        Source outgoing(Source end, Path path) {
            return new Source(end) {
                @Override
                public PositionedFile file(boolean direct) throws IOException {
                    Files.deleteIfExists(path);
                    return super.file(direct);
                }
            };
        }
    }

    @Breaks("TRN-25")
    static class FillsUpAtTheEnd extends InFile {
        @Override
        PositionedFile file(PositionedFile file, boolean direct) {
            return new ForwardingFile(file) {
                @Override
                public int read(ByteBuffer target, long position) throws IOException {
                    int wanted = target.remaining();
                    int count = super.read(target, position);
                    if (count != 300) return count;
                    while (target.hasRemaining()) target.put((byte) 0);
                    return wanted;
                }
            };
        }
    }

    @Breaks("TRN-26")
    static class CutsNothing extends InFile {
        @Override
        PositionedFile file(PositionedFile file, boolean direct) {
            return new ForwardingFile(file) {
                @Override
                public void resize(long size) throws IOException {
                    if (size >= size()) super.resize(size);
                }
            };
        }
    }

    @Breaks("TRN-27")
    static class MapsOneByteTooFar extends InFile {
        @Override
        PositionedFile file(PositionedFile file, boolean direct) {
            return new ForwardingFile(file) {
                @Override
                public Optional<MemorySegment> map(long position, long length, Arena arena)
                        throws IOException {
                    MemorySegment copy = arena.allocate(length);
                    read(copy.asSlice(0, length - 1).asByteBuffer(), position);
                    return Optional.of(copy);
                }
            };
        }
    }

    @Breaks("TRN-34")
    static class WritesOverWhatIsMapped extends InFile {
        @Override
        Source outgoing(Source end, Path path) {
            return new Source(end) {
                @Override
                public void complete() throws IOException {
                    if (Files.exists(path)) Files.write(path, new byte[1 << 20]);
                    super.complete();
                }
            };
        }
    }

    @Breaks("TRN-28")
    static class SeesOnlyHoles extends InFile {
        @Override
        PositionedFile file(PositionedFile file, boolean direct) {
            return new ForwardingFile(file) {
                @Override
                public long nextData(long position) throws IOException {
                    return size();
                }
            };
        }
    }

    @Breaks("TRN-29")
    static class DirectGoesNowhere extends InFile {
        @Override
        PositionedFile file(PositionedFile file, boolean direct) {
            if (!direct) return file;
            return new ForwardingFile(file) {
                @Override
                public void write(ByteBuffer source, long position) throws IOException {
                    resize(Math.max(size(), position + source.remaining()));
                }
            };
        }
    }

    @Breaks("TRN-30")
    static class WritesOn extends InFile {
        @Override
        Source outgoing(Source end, Path path) {
            return new Source(end) {
                @Override
                public void release() {}
            };
        }
    }

    @Breaks("TRN-31")
    static class ReservesNothing extends InFile {
        @Override
        Source outgoing(Source end, Path path) {
            return new Source(end) {
                @Override
                public void reserve(long bytes) {}
            };
        }
    }

    @Breaks("TRN-31")
    static class HasAlwaysRoom extends InFile {
        @Override
        Source outgoing(Source end, Path path) {
            return new Source(end) {
                @Override
                public void expect(long bytes) {}
            };
        }
    }
}
