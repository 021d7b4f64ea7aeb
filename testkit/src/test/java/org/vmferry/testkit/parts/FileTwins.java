package org.vmferry.testkit.parts;

import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.ForwardingFile;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;
import org.vmferry.testkit.conformance.FileTransportConformance;
import org.vmferry.testkit.fault.ForwardingFileTransport;
import org.vmferry.testkit.fault.ForwardingIncomingFile;
import org.vmferry.testkit.fault.ForwardingOutgoingFile;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Transports of files that break one rule each. */
final class FileTwins {
    private FileTwins() {}

    /** A file, of which a twin changes one thing. */
    abstract static class InFile extends FileTransportConformance {
        @TempDir Path folder;
        private int count;

        @Override
        protected FileTransport provider() {
            return new Twin();
        }

        @Override
        protected Address destination() {
            return new Address("file", folder.resolve("file-" + count++).toString());
        }

        @Override
        protected Optional<Address> nonsense() {
            return Optional.of(new Address("file", folder + "/x,offset=many"));
        }

        PositionedFile file(PositionedFile file, boolean direct) {
            return file;
        }

        Source outgoing(Source end, Path path) {
            return end;
        }

        class Source extends ForwardingOutgoingFile {
            Source(OutgoingFile end) {
                super(end);
            }

            @Override
            protected PositionedFile over(PositionedFile file, boolean direct) {
                return InFile.this.file(file, direct);
            }
        }

        class Twin extends ForwardingFileTransport {
            Twin() {
                super(new LocalFileTransport(), "file");
            }

            @Override
            public OutgoingFile outgoing(Address address, Options options)
                    throws MigrationException {
                return InFile.this.outgoing(
                        new Source(real.outgoing(address, options)), Path.of(address.target()));
            }

            @Override
            protected IncomingFile over(IncomingFile end) {
                return new ForwardingIncomingFile(end) {
                    @Override
                    protected PositionedFile over(PositionedFile file, boolean direct) {
                        return InFile.this.file(file, direct);
                    }
                };
            }
        }
    }

    @Breaks("TRN-3")
    static class TakesNonsense extends InFile {
        @Override
        protected FileTransport provider() {
            return new Twin() {
                @Override
                public OutgoingFile outgoing(Address address, Options options)
                        throws MigrationException {
                    String path = address.target().replace(",offset=many", "");
                    return super.outgoing(new Address("file", path), options);
                }
            };
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
    @Says(
            "TRN-24: file(), write(): what stood under the name has gone before complete() (it"
                    + " threw ")
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
