package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.Status;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;
import org.vmferry.spi.transport.TransportEnd;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A transport with files: docs/spi/transport.md. Rules that don't apply to what its files can are
 * skipped.
 */
@Status(Status.Level.STABLE)
public abstract non-sealed class FileTransportConformance
        extends TransportConformance<FileTransport> {
    private static final int MIB = 1 << 20;

    /** For the author's class. */
    protected FileTransportConformance() {}

    @Override
    final TransportEnd sourceEnd(Address address) throws Exception {
        return provider().outgoing(address, options());
    }

    @Test
    @Tag("TRN-2")
    final void aSourceOpensNothingUntilItIsAskedTo() throws Exception {
        Address place = destination();
        sourceEndOpensNothing(source(place));
        refused(
                "outgoing(), close(): a file is there, though none was asked for",
                () -> provider().incoming(place, options()).close(),
                IOException.class);
    }

    private static byte[] read(PositionedFile file, long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(length);
        int count = file.read(buffer, position);
        byte[] bytes = new byte[count];
        buffer.flip().get(bytes);
        return bytes;
    }

    /** A complete file of these bytes. */
    final Address saved(byte[] content) throws Exception {
        Address place = destination();
        save(place, content);
        return place;
    }

    private void save(Address place, byte[] content) throws Exception {
        try (OutgoingFile end = provider().outgoing(source(place), options())) {
            PositionedFile file = end.file(false);
            file.write(buffer(content), file.start());
            end.complete();
        }
    }

    private byte[] content(Address place, int length) throws Exception {
        try (IncomingFile end = provider().incoming(place, options())) {
            PositionedFile file = end.file(false);
            return read(file, file.start(), length);
        }
    }

    @Test
    @Tag("TRN-21")
    final void whatManyThreadsWriteIsReadFromItsPlace() throws Exception {
        Address place = destination();
        try (OutgoingFile end = provider().outgoing(source(place), options())) {
            PositionedFile file = end.file(false);
            List<Call<Void>> writers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int mine = i; // every fourth piece, the last ones first
                writers.add(
                        begin(
                                () -> {
                                    for (int n = 28 + mine; n >= 0; n -= 4) {
                                        file.write(
                                                buffer(noise(65_536, n)),
                                                file.start() + n * 100_000L);
                                    }
                                    return null;
                                }));
            }
            for (Call<Void> writer : writers) end(writer, "write(): hangs");
            end.complete();
        }
        try (IncomingFile end = provider().incoming(place, options())) {
            PositionedFile file = end.file(false);
            for (int n = 0; n < 32; n++) {
                assertArrayEquals(
                        noise(65_536, n),
                        read(file, file.start() + n * 100_000L, 65_536),
                        "write(), read(): other bytes than were written at " + n * 100_000L);
            }
            assertArrayEquals(
                    new byte[100],
                    read(file, file.start() + 70_000, 100),
                    "write(): bytes that nobody wrote are not zero");
        }
    }

    @Test
    @Tag("TRN-22")
    final void theSameFileAtEveryCall() throws Exception {
        try (OutgoingFile end = provider().outgoing(source(destination()), options())) {
            assertSame(end.file(false), end.file(false), "file(): another object at the next call");
        }
    }

    @Test
    @Tag("TRN-23")
    final void whatIsNotCompletedIsTakenBack() throws Exception {
        Address place = destination();
        try (OutgoingFile end = provider().outgoing(source(place), options())) {
            PositionedFile file = end.file(false);
            file.write(buffer(new byte[1000]), file.start());
        }
        refused(
                "close(): what was not completed is still there",
                () -> provider().incoming(place, options()).close(),
                IOException.class);
    }

    @Test
    @Tag("TRN-24")
    final void whatStoodThereStaysUntilItIsComplete() throws Exception {
        Address place = saved(noise(1000, 1));
        try (OutgoingFile end = provider().outgoing(source(place), options())) {
            PositionedFile file = end.file(false);
            file.write(buffer(noise(1000, 2)), file.start());
            String lookAt = "file(), write(): what stood under the name has gone before complete()";
            assertArrayEquals(noise(1000, 1), works(lookAt, () -> content(place, 1000)), lookAt);
            end.complete();
        }
        assertArrayEquals(
                noise(1000, 2), content(place, 1000), "complete(): what was written is not there");
    }

    @Test
    @Tag("TRN-25")
    final void aReadEndsAtTheFilesEnd() throws Exception {
        try (IncomingFile end = provider().incoming(saved(noise(1000, 1)), options())) {
            PositionedFile file = end.file(false);
            assertEquals(
                    300,
                    read(file, file.start() + 700, 4000).length,
                    "read(): over the end, it gives what there is");
            assertTrue(
                    file.read(ByteBuffer.allocateDirect(10), file.start() + 5000) <= 0,
                    "read(): past the end there is nothing");
        }
    }

    @Test
    @Tag("TRN-26")
    final void aFileIsCutAndExtended() throws Exception {
        try (OutgoingFile end = provider().outgoing(source(destination()), options())) {
            PositionedFile file = end.file(false);
            long start = file.start();
            file.write(buffer(noise(5000, 1)), start);
            assertEquals(start + 5000, file.size(), "size(): after a write");
            file.resize(start + 2000);
            file.resize(start + 3 * MIB);
            assertEquals(start + 3 * MIB, file.size(), "resize(), size(): after an extension");
            assertArrayEquals(
                    new byte[3000], read(file, start + 2000, 3000), "resize(): bytes came back");
        }
    }

    @Test
    @Tag("TRN-27")
    final void aMappingIsACopy() throws Exception {
        Address place = saved(noise(MIB, 1));
        try (IncomingFile end = provider().incoming(place, options());
                Arena arena = Arena.ofShared()) {
            PositionedFile file = end.file(false);
            Optional<MemorySegment> mapped = file.map(0, file.size(), arena);
            needs(mapped.isPresent(), "map(): gives no memory");
            MemorySegment memory = mapped.get();
            assertEquals(file.size(), memory.byteSize(), "map(): another length");
            assertArrayEquals(
                    noise(MIB, 1),
                    memory.asSlice(file.start()).toArray(ValueLayout.JAVA_BYTE),
                    "map(): other bytes than the file has");
            memory.fill((byte) 7);
        }
        assertArrayEquals(
                noise(MIB, 1), content(place, MIB), "map(): a store went through to the file");
    }

    @Test
    @Tag("TRN-34")
    final void whatIsMappedIsNotWrittenOver() throws Exception {
        Address place = saved(noise(MIB, 1));
        try (Arena arena = Arena.ofShared()) {
            Optional<MemorySegment> mapped;
            try (IncomingFile end = provider().incoming(place, options())) {
                mapped = end.file(false).map(0, end.file(false).size(), arena);
            }
            needs(mapped.isPresent(), "map(): gives no memory");
            byte[] before = mapped.get().toArray(ValueLayout.JAVA_BYTE);
            try {
                save(place, noise(MIB / 2, 2));
            } catch (IOException e) {
                // Refused, as it may be.
            }
            byte[] left;
            try {
                left = mapped.get().toArray(ValueLayout.JAVA_BYTE);
            } catch (InternalError e) {
                throw new AssertionError("file(), complete(): what was mapped was cut off", e);
            }
            assertArrayEquals(
                    before, left, "file(), write(), complete(): other bytes in a mapping");
        }
    }

    @Test
    @Tag("TRN-28")
    final void onlyZerosLieBeforeTheNextData() throws Exception {
        Address place = destination();
        try (OutgoingFile end = provider().outgoing(source(place), options())) {
            PositionedFile file = end.file(false);
            file.write(buffer(noise(4096, 1)), file.start() + MIB);
            file.resize(file.start() + 3 * MIB);
            end.complete();
        }
        try (IncomingFile end = provider().incoming(place, options())) {
            PositionedFile file = end.file(false);
            for (long from : new long[] {0, 5000, MIB, MIB + 100, 2 * MIB}) {
                long next = file.nextData(file.start() + from) - file.start();
                assertTrue(next >= from, "nextData(): " + next + ", which is before " + from);
                assertTrue(
                        next <= MIB || from > MIB && next <= 3 * MIB,
                        "nextData(): from %d it skips the data at %d".formatted(from, MIB));
                assertTrue(
                        from < MIB || from >= MIB + 4096 || next == from,
                        "nextData(): from %d, within data, it goes to %d".formatted(from, next));
            }
        }
    }

    @Test
    @Tag("TRN-29")
    final void directTransfersReachTheSameFile() throws Exception {
        Address place = destination();
        try (OutgoingFile end = provider().outgoing(source(place), options());
                Arena arena = Arena.ofShared()) {
            PositionedFile file = end.file(false);
            assertEquals(1, file.alignment(), "alignment(): of the file that is not direct");
            PositionedFile direct;
            try {
                direct = end.file(true);
            } catch (IOException e) {
                needs(false, "file(true): can't be had here: " + e.getMessage());
                return;
            }
            int alignment = direct.alignment();
            assertEquals(1, Integer.bitCount(alignment), "alignment(): no power of two");
            int length = Math.max(alignment, MIB);
            byte[] bytes = noise(length, 1);
            MemorySegment memory = arena.allocate(length, alignment);
            MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, length);
            long position = (file.start() + 2L * length) / alignment * alignment;
            direct.write(memory.asByteBuffer(), position);
            assertArrayEquals(
                    bytes,
                    read(file, position, length),
                    "file(true): its bytes are not in file(false)");
        }
    }

    @Test
    @Tag("TRN-30")
    final void anEndThatWasReleasedGivesNoFile() throws Exception {
        try (OutgoingFile end = provider().outgoing(source(destination()), options())) {
            PositionedFile file = end.file(false);
            end.release();
            refused(
                    "write(): after release() nothing is written any more",
                    () -> file.write(buffer(new byte[10]), file.start()),
                    IOException.class);
            refused(
                    "complete(): after release() nothing may appear",
                    end::complete,
                    IOException.class);
        }
    }

    @Test
    @Tag("TRN-31")
    final void noRoomIsSaidBeforehand() throws Exception {
        try (OutgoingFile end = provider().outgoing(source(destination()), options())) {
            end.expect(1);
            refused(
                    "expect(): there can't be room for so much",
                    () -> end.expect(Long.MAX_VALUE / 2),
                    IOException.class);
            end.reserve(1);
            refused(
                    "reserve(): there can't be room for so much",
                    () -> end.reserve(Long.MAX_VALUE / 2),
                    IOException.class);
        }
    }
}
