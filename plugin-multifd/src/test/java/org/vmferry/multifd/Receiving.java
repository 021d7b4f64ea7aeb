package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.doubles.Loopback;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.TestSession;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.transport.Channel;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.Consumer;

/** One load over scripted channels. Pages of 64 KiB keep packets small. */
abstract class Receiving {
    static final int PAGE = 1 << 16;
    static final int HEADER = 320 + 8 * 8;

    final RamBlock ram = Rams.block("pc.ram", 4, PAGE, true);
    final byte[] one = page(1);
    final byte[] two = page(2);
    CompressionProvider codec;
    long patience = 60_000;
    TestSession session;
    String machine = ""; // of which nothing is known
    Runnable beforeStart = () -> {};

    /** The main stream's part. */
    interface Main {
        void run(MultifdReceiver receiver) throws IOException;
    }

    static final Main MODERN =
            receiver -> {
                receiver.sync();
                receiver.endSection();
                receiver.sync();
                receiver.endSection();
            };

    @BeforeEach
    void somethingIsThereAlready() {
        for (int i = 0; i < 4; i++) Rams.write(ram, i, page(100 + i));
    }

    static byte[] page(long seed) {
        byte[] page = new byte[PAGE];
        new Random(seed).nextBytes(page);
        return page;
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte[] part : parts) bytes.writeBytes(part);
        return bytes.toByteArray();
    }

    /** Pages 2 and 0 with data, page 3 zero. */
    Wire.Pages pages() {
        Wire.Pages packet = new Wire.Pages().name("pc.ram");
        packet.normal = 2;
        packet.zero = 1;
        packet.size = 2 * PAGE;
        packet.offsets[0] = 2 * PAGE;
        packet.offsets[2] = 3 * PAGE;
        packet.data = join(one, two);
        return packet;
    }

    void assertApplied() {
        assertThat(Rams.page(ram, 2)).isEqualTo(one);
        assertThat(Rams.page(ram, 0)).isEqualTo(two);
        assertThat(Rams.page(ram, 3)).isEqualTo(new byte[PAGE]);
        assertThat(Rams.page(ram, 1)).isEqualTo(page(101));
    }

    /** One load over scripted channels; throws what it met, and leaves no thread. */
    void receive(Main main, Channel... scripts) throws Exception {
        receive(scripts.length, main, scripts);
    }

    void receive(int channels, Main main, Channel... scripts) throws Exception {
        Options options = Options.DEFAULTS.with(MultifdOptions.CHANNELS, channels);
        session = new TestSession("scripted", options, new UUID(0, 0), codec);
        session.patience = patience;
        session.silence = patience;
        session.channels.addAll(Arrays.asList(scripts));
        List<Thread> greeters = new ArrayList<>();
        MultifdReceiver receiver = new MultifdReceiver(session);
        try (receiver) {
            for (Channel script : scripts)
                greeters.add(Loopback.greet(Hello.MAGIC, receiver, script));
            receiver.connect(machine);
            beforeStart.run();
            receiver.start(List.of(ram));
            main.run(receiver);
            receiver.finish();
        } finally {
            for (Thread greeter : greeters) greeter.join();
        }
        assertThat(session.failure()).isNull();
        assertThat(session.threads()).isEmpty();
    }

    void receive(byte[]... script) throws Exception {
        receive(MODERN, script(script));
    }

    static Scripted script(byte[]... parts) {
        return new Scripted(join(parts), 0, false);
    }

    void refused(String message, Main main, Channel... scripts) {
        refused(scripts.length, message, main, scripts);
    }

    void refused(int channels, String message, Main main, Channel... scripts) {
        assertThatThrownBy(() -> receive(channels, main, scripts))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining(message);
        assertThat(session.failure()).hasMessageContaining(message);
        assertThat(session.threads()).isEmpty();
        for (Channel script : scripts) assertThat(script.isOpen()).isFalse();
    }

    void refused(String message, Consumer<Wire.Pages> spoil) {
        Wire.Pages packet = pages();
        packet.number = 7;
        spoil.accept(packet);
        refused(message, MODERN, script(Wire.hello(0), Wire.sync(), packet.bytes(), Wire.sync()));
    }
}
