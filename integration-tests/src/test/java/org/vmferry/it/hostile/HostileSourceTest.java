package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.hostile.MultifdBytes.Packet;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.tls.TestCertificates;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.Deflater;

/** A source that lies, breaks off or stays silent, and what the whole engine makes of it. */
class HostileSourceTest extends Listening {
    @TempDir static Path certificates;

    /** The first is a good one; the second is the test's. */
    @ParameterizedTest(name = "{0}")
    @MethodSource
    @Tag("MFD-2")
    void hellos(String message, byte[] hello) throws Exception {
        listen(multifd("none"));
        connect(MultifdBytes.main(machine));
        connect(MultifdBytes.hello(0));
        connect(hello);
        assertThat(failure()).contains(message.split(", "));
    }

    static Stream<Arguments> hellos() {
        return Stream.of(
                Arguments.of("id 0, taken", MultifdBytes.hello(0)),
                Arguments.of("id 2, there are 2 here", MultifdBytes.hello(2)),
                Arguments.of("id 255", MultifdBytes.hello(255)));
    }

    /** One page in a packet of which one thing is wrong. */
    @ParameterizedTest(name = "{0}")
    @MethodSource
    @Tag("MFD-4")
    @Tag("MFD-8")
    void packets(String message, Consumer<Packet> spoil) throws Exception {
        Packet packet = new Packet();
        spoil.accept(packet);
        receive("none", packet);
        assertThat(failure()).contains("channel 1").contains(message.split(", "));
    }

    private void receive(String compression, Packet packet) throws IOException {
        listen(multifd(compression));
        connect(MultifdBytes.main(machine), MultifdBytes.part());
        packet.number = 2;
        connect(MultifdBytes.hello(0), MultifdBytes.sync(0), MultifdBytes.sync(3));
        connect(MultifdBytes.hello(1), MultifdBytes.sync(1), packet.bytes(), MultifdBytes.sync(4));
    }

    static Stream<Arguments> packets() {
        return Stream.of(
                spoilt("magic, 0x11223340", p -> p.magic = 0x11223340),
                spoilt("version 7", p -> p.version = 7),
                spoilt("flags 0x40, device state", p -> p.flags = 0x40),
                spoilt("flags 0x80", p -> p.flags = 0x80),
                spoilt("method 1, expected 0", p -> p.flags = 1 << 1),
                spoilt("method 2, expected 0", p -> p.flags = 2 << 1),
                spoilt("pages_alloc 129, 128", p -> p.alloc = 129),
                spoilt("pages_alloc 4294967295", p -> p.alloc = -1),
                spoilt("normal_pages 129, 128", p -> p.normal = 129),
                spoilt("normal_pages 4294967295", p -> p.normal = -1),
                spoilt("zero_pages 128, 127", p -> p.zero = 128),
                spoilt("zero_pages 2147483648", p -> p.zero = Integer.MIN_VALUE),
                spoilt("next_packet_size 4095", p -> p.size = 4095),
                spoilt("next_packet_size 4294967295", p -> p.size = -1),
                spoilt("offset[0] 0x100000, ref.ram", p -> p.offsets[0] = 1 << 20),
                spoilt("offset[0] 0x1, ref.ram", p -> p.offsets[0] = 1),
                spoilt("offset[0] 0xfffffffffffff000", p -> p.offsets[0] = -4096),
                spoilt(
                        "offset[1] 0x7ffffffffffff000",
                        p -> {
                            p.zero = 1;
                            p.offsets[1] = 0x7ffffffffffff000L;
                        }),
                spoilt("no RAM block 'pc.ram'", p -> p.name = "pc.ram"),
                spoilt("ramblock is empty", p -> p.name = ""),
                spoilt("not ended by a NUL", p -> p.name = "x".repeat(256)));
    }

    private static Arguments spoilt(String message, Consumer<Packet> spoil) {
        return Arguments.of(message, spoil);
    }

    private static byte[] zlib(int length) {
        byte[] out = new byte[length + 1000];
        Deflater deflater = new Deflater(1);
        deflater.setInput(new byte[length]);
        int count = deflater.deflate(out, 0, out.length, Deflater.SYNC_FLUSH);
        deflater.end();
        return Arrays.copyOf(out, count);
    }

    private static byte[] garbage(int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) 0xa5);
        return bytes;
    }

    static Stream<Arguments> compressed() {
        byte[] page = zlib(MultifdBytes.PAGE);
        String over = "the packet's data decode to more than its pages";
        String under = "the packet's data end %d bytes before its pages do";
        return Stream.of(
                Arguments.of("zlib", over, 1, zlib(25 << 20)),
                Arguments.of("zlib", over, 1, zlib(MultifdBytes.PAGE + 1)),
                Arguments.of("zlib", under.formatted(4096), 1, Arrays.copyOf(page, 2)),
                Arguments.of("zlib", under.formatted(4096), 1, new byte[0]),
                Arguments.of("zlib", "bad data", 1, MultifdBytes.join(page, garbage(20))),
                Arguments.of("zlib", "bad data", 1, garbage(100)),
                Arguments.of("zstd", over, 2, Zstd.compress(new byte[50 << 20])),
                Arguments.of("zstd", over, 2, Zstd.compress(new byte[MultifdBytes.PAGE + 1])),
                Arguments.of("zstd", under.formatted(3996), 2, Zstd.compress(new byte[100])),
                Arguments.of("zstd", under.formatted(4096), 2, new byte[0]),
                Arguments.of("zstd", "bad data", 2, garbage(100)));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource
    @Tag("MFD-10")
    void compressed(String codec, String message, int method, byte[] data) throws Exception {
        Packet packet = new Packet().data(data);
        packet.flags = method << 1;
        receive(codec, packet);
        assertThat(failure()).contains("channel 1, packet 2: " + codec + ": " + message);
    }

    @Test
    @Tag("MFD-10")
    void compressedDataOfMoreThanAMebibyte() throws Exception {
        Packet packet = new Packet();
        packet.flags = 1 << 1;
        packet.size = (1 << 20) + 1;
        receive("zlib", packet);
        assertThat(failure()).contains("channel 1", "next_packet_size 1048577", "1048576");
    }

    @Test
    @Tag("MFD-7")
    void anotherMethodThanAgreed() throws Exception {
        receive("zstd", new Packet());
        assertThat(failure()).contains("method 0, expected 2", "multifd-compression");
    }

    /** Wherever a channel ends, before its last sync. */
    @ParameterizedTest
    @ValueSource(ints = {10, 64, 65, 64 + 1344, 64 + 1344 + 400, 64 + 2 * 1344 + 100})
    @Tag("MFD-21")
    void aChannelEndsEarly(int at) throws Exception {
        listen(multifd("none").parameter("connect-timeout", "500"));
        connect(MultifdBytes.main(machine), MultifdBytes.part());
        connect(MultifdBytes.hello(0), MultifdBytes.sync(0), MultifdBytes.sync(3));
        byte[] all =
                MultifdBytes.join(
                        MultifdBytes.hello(1), MultifdBytes.sync(1), new Packet().bytes());
        connect(Arrays.copyOf(all, at)).close();
        String why = failure();
        if (at <= 64) assertThat(why).contains("a channel is missing"); // as if it had never come
        else assertThat(why).containsPattern("multifd channel 1.*end(s|ed)");
    }

    @Test
    void theMainStreamEndsEarly() throws Exception {
        listen(multifd("none"));
        byte[] all = MultifdBytes.main(machine);
        connect(MultifdBytes.hello(0), MultifdBytes.sync(0));
        connect(MultifdBytes.hello(1), MultifdBytes.sync(1));
        connect(Arrays.copyOf(all, all.length - 7)).close();
        assertThat(failure()).contains("end");
    }

    /** The source has begun and its second channel never says who it is, or never comes. */
    @ParameterizedTest
    @ValueSource(strings = {"silent", "absent", "gone"})
    @Tag("MFD-23")
    void aMissingChannelIsNotWaitedForForEver(String how) throws Exception {
        listen(multifd("none").parameter("connect-timeout", "300"));
        connect(MultifdBytes.main(machine));
        connect(MultifdBytes.hello(0));
        if (!how.equals("absent")) {
            Socket socket = connect();
            if (how.equals("gone")) socket.close();
        }
        assertThat(failure()).contains("channel is missing", "300 ms", "connect-timeout");
    }

    /** Who looks whether somebody listens is in nobody's way. */
    @ParameterizedTest
    @ValueSource(strings = {"multifd", "multifd tls", "plain", "plain tls"})
    @Tag("MFD-1")
    void strangersWhoSayNothingAreInNobodysWay(String how) throws Exception {
        Settings settings = how.startsWith("multifd") ? multifd("none") : Settings.NONE;
        if (how.endsWith("tls")) {
            TestCertificates made = TestCertificates.in(certificates.resolve("pki"));
            settings =
                    settings.parameter("tls-creds", made.folder().toString())
                            .parameter("tls-hostname", TestCertificates.HOST);
        }
        // A handshake with them would be over long before the guest comes.
        listen(settings.parameter("connect-timeout", how.endsWith("tls") ? "2000" : "300"));
        Socket silent = connect();
        connect().close();
        Socket reset = connect();
        reset.setSoLinger(true, 0);
        reset.close();
        assertThat(migration.await(Duration.ofMillis(2500))).as("it goes on waiting").isFalse();
        try (ReferenceMachine source =
                ReferenceMachine.builder().ram(1 << 20).dirtyWindow(20).build()) {
            source.enter(RunState.RUNNING);
            engine.send(source, migration.address().toString(), settings).await();
        }
        migration.await();
        assertThat(machine.runState()).isEqualTo(RunState.RUNNING);
        assertThat(silent.getInputStream().read()).as("it is let go").isEqualTo(-1);
    }
}
