package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Bytes;
import org.vmferry.engine.MemoryChannel;
import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.OutgoingFile;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Random;

class StreamInOutTest {
    private static final int LARGE = (1 << 20) + 12345; // several buffers
    @TempDir Path directory;

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(7).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 4096, 131071, 1 << 20})
    void whatIsWrittenIsRead(int most) throws IOException {
        byte[] large = random(LARGE);
        byte[] written;
        try (Arena arena = Arena.ofConfined();
                StreamOut out = new StreamOut(new MemoryChannel(new byte[0], most))) {
            MemorySegment memory = arena.allocate(LARGE);
            MemorySegment.copy(large, 0, memory, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, LARGE);
            MemoryChannel channel = new MemoryChannel(new byte[0], most);
            try (StreamOut stream = new StreamOut(channel)) {
                write(stream, memory, large);
                stream.flush();
                assertThat(stream.sent()).isEqualTo(stream.position());
            }
            written = channel.written();
        }
        Bytes expected = new Bytes().u8(0xfe).u16(0xfedc).u32(0xfedcba98).u64(-2).str8("größe");
        expected.raw(large).raw(large).u8(1);
        assertThat(written).isEqualTo(expected.array());
        try (Arena arena = Arena.ofConfined();
                StreamIn in = new StreamIn(new MemoryChannel(written, most))) {
            assertThat(in.u8()).isEqualTo(0xfe);
            assertThat(in.u16()).isEqualTo(0xfedc);
            assertThat(in.u32()).isEqualTo(0xfedcba98);
            assertThat(in.u64()).isEqualTo(-2);
            assertThat(in.str8()).isEqualTo("größe");
            MemorySegment memory = arena.allocate(LARGE);
            in.bytes(memory);
            assertThat(memory.mismatch(MemorySegment.ofArray(large))).isEqualTo(-1);
            byte[] heap = new byte[LARGE];
            in.bytes(MemorySegment.ofArray(heap));
            assertThat(heap).isEqualTo(large);
            assertThat(in.atEnd()).isFalse();
            assertThat(in.u8()).isEqualTo(1);
            assertThat(in.position()).isEqualTo(written.length).isEqualTo(in.received());
            assertThat(in.atEnd()).isTrue();
        }
    }

    private static void write(StreamOut out, MemorySegment memory, byte[] heap) throws IOException {
        out.u8(0xfe);
        out.u16(0xfedc);
        out.u32(0xfedcba98);
        out.u64(-2);
        out.str8("größe");
        out.bytes(memory);
        out.bytes(MemorySegment.ofArray(heap));
        out.u8(1);
    }

    @Test
    void anEndInTheMiddleNamesThePosition() throws IOException {
        try (StreamIn in = new StreamIn(new MemoryChannel(new byte[] {1, 2, 3}, 1))) {
            in.u8();
            assertThatThrownBy(in::u32)
                    .isInstanceOf(MigrationException.class)
                    .hasMessage(
                            "the stream ends at 3, 2 bytes short of what was announced: it was cut"
                                    + " short, or its source was cancelled or ended");
        }
        try (Arena arena = Arena.ofConfined();
                StreamIn in = new StreamIn(new MemoryChannel(new byte[200_000], 70_000))) {
            assertThatThrownBy(() -> in.bytes(arena.allocate(1 << 20)))
                    .hasMessageContaining("ends at 200000, 848576 bytes short");
        }
    }

    @Test
    void aNameMustBeUtf8AndFit() throws IOException {
        byte[] bytes = new Bytes().u8(2, 0xc3, 0x28).array();
        try (StreamIn in = new StreamIn(new MemoryChannel(bytes, 9))) {
            assertThatThrownBy(in::str8).hasMessage("the name at 0 is no UTF-8");
        }
        try (StreamOut out = new StreamOut(new MemoryChannel(bytes, 9))) {
            assertThatThrownBy(() -> out.str8("x".repeat(256)))
                    .isInstanceOfSatisfying(
                            MigrationException.class,
                            e -> assertThat(e.blame()).isEqualTo(Blame.HOST))
                    .hasMessageContaining("256 bytes");
        }
    }

    @Test
    void inAFilePositionsAreTheFiles() throws IOException {
        Address address = Address.parse("file:" + directory.resolve("f") + ",offset=100");
        LocalFileTransport transport = new LocalFileTransport();
        byte[] large = random(LARGE);
        try (OutgoingFile end = transport.outgoing(address, Options.DEFAULTS);
                FileStreamOut out = new FileStreamOut(end)) {
            assertThat(out.position()).isEqualTo(100);
            out.u32(1);
            out.seek(2000);
            out.bytes(MemorySegment.ofArray(large));
            out.u8(5);
            out.seek(104);
            out.u32(2);
            assertThat(out.position()).isEqualTo(108);
            out.flush();
            end.complete();
        }
        try (IncomingFile end = transport.incoming(address, Options.DEFAULTS);
                FileStreamIn in = new FileStreamIn(end)) {
            assertThat(in.position()).isEqualTo(100);
            assertThat(in.u32()).isEqualTo(1);
            assertThat(in.u32()).isEqualTo(2);
            in.seek(2000 + LARGE);
            assertThat(in.u8()).isEqualTo(5);
            assertThat(in.atEnd()).isTrue();
            in.seek(2000);
            byte[] back = new byte[LARGE];
            in.bytes(MemorySegment.ofArray(back));
            assertThat(back).isEqualTo(large);
            in.seek(1L << 40);
            assertThatThrownBy(in::u8).hasMessageContaining("ends at " + (1L << 40));
        }
    }
}
