package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/** A destination's words on the return path, and where a stream ends for it. */
@Timeout(60)
class DestinationEndTest {
    private static final int GREETING = 0x766d6672;
    private static final int REASON = 0x766d;

    private final Engine engine = new Engine(Plugins.builtIn());
    private TestMachine target = new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0));
    private Migration load;
    private Socket source;
    private DataInputStream in;
    private OutputStream out;

    private void begin(Bytes stream) throws IOException {
        load = engine.receive(target, "tcp:127.0.0.1:0", Settings.NONE);
        String address = load.address().toString();
        int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
        source = new Socket(InetAddress.getLoopbackAddress(), port);
        in = new DataInputStream(source.getInputStream());
        out = source.getOutputStream();
        out.write(stream.array());
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        source.close();
        load.await(Duration.ofSeconds(20));
        while (Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().matches("(send|receive)-\\d+.*|vmferry-.*"))) {
            LockSupport.parkNanos(200_000);
        }
    }

    private static Bytes opened(String machine, int ping) {
        return new Bytes().header(machine).u8(8).u16(1).u16(0).u8(8).u16(2).u16(4).u32(ping);
    }

    /** All of a machine but its end. */
    private static Bytes all(int ping) {
        Bytes ram = opened("test", ping).ramStart(1).u64(66 * 4096 | 4);
        ram.str8("ram").u64(64 * 4096).str8("rom").u64(2 * 4096).u64(0x10).footer(1);
        ram.u8(3).u32(1).u64(0x10).footer(1);
        return ram.full(2, "number", 0, 1, Bytes.counted(new Bytes().u32(7).array()));
    }

    /** What it says to the end: type, and number or text. */
    private List<String> said() throws IOException {
        List<String> said = new ArrayList<>();
        while (true) {
            int type = in.read();
            if (type < 0) return said;
            type = type << 8 | in.read();
            byte[] payload = in.readNBytes(in.readUnsignedShort());
            boolean text = type == REASON;
            said.add(
                    type
                            + " "
                            + (text
                                    ? new String(payload, StandardCharsets.UTF_8)
                                    : ByteBuffer.wrap(payload).getInt()));
            if (type == 1) return said;
        }
    }

    @Test
    @Tag("RPT-3")
    @Tag("RPT-6")
    void whatDoesNotFitIsToldToWhoUnderstandsIt() throws Exception {
        begin(opened("toaster", GREETING).ramStart(1));
        assertThat(said())
                .containsExactly(
                        "2 " + GREETING,
                        REASON + " the stream is of a machine 'toaster', this one is 'test'",
                        "1 1");
    }

    @Test
    @Tag("RPT-3")
    @Tag("RPT-6")
    void aQemuHearsOfItAsFromAnother() throws Exception {
        begin(opened("toaster", 1).ramStart(1));
        assertThat(said()).containsExactly("2 1", "1 1");
    }

    @Test
    @Tag("RPT-6")
    void aReasonIsCutToFit() throws Exception {
        target =
                new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0)) {
                    @Override
                    public void enter(RunState next) throws MigrationException {
                        throw MigrationException.host("%s", "\u20ac".repeat(300) + "\u0007");
                    }
                };
        begin(all(GREETING).u8(0));
        assertThat(said())
                .containsExactly("2 " + GREETING, REASON + " " + "\u20ac".repeat(170), "1 1");
    }

    @Test
    @Tag("STR-8")
    void aStreamEndsAtItsEnd() throws Exception {
        begin(all(1).u8(0));
        assertThat(said()).containsExactly("2 1", "1 0");
        load.await(); // the source is there, and says nothing more
        assertThat(target.state).isEqualTo(RunState.RUNNING);
        assertThat(target.number).isEqualTo(7);
    }

    @Test
    @Tag("STR-8")
    void withoutAReturnPathToo() throws Exception {
        Bytes ram = new Bytes().header("test");
        byte[] all = all(1).array();
        int commands = ram.size() + 5 + 9;
        begin(ram.raw(Arrays.copyOfRange(all, commands, all.length)).u8(0));
        load.await();
        assertThat(target.state).isEqualTo(RunState.RUNNING);
    }

    /** Unread bytes would make the close a reset, and the word may be lost with it. */
    @Test
    @Tag("STR-8")
    void whatComesBehindTheEndIsReadAndDropped() throws Exception {
        begin(all(1).u8(0));
        assertThat(said()).containsExactly("2 1", "1 0");
        out.write(new Bytes().u8(6).u32(2_000_000).raw(2_000_000, ' ').array());
        source.shutdownOutput();
        assertThat(in.read()).as("an end in order").isEqualTo(-1);
        load.await();
    }

    @ParameterizedTest
    @ValueSource(ints = {GREETING, 1})
    @Tag("RPT-7")
    void aMachineThatBeginsSlowlyGivesSignsOfLife(int ping) throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        target =
                new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0)) {
                    @Override
                    public void enter(RunState next) throws MigrationException {
                        try {
                            go.await();
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                        super.enter(next);
                    }
                };
        begin(all(ping).u8(0));
        if (ping == GREETING) {
            byte[] pong = new Bytes().u16(2).u16(4).u32(GREETING).array();
            assertThat(in.readNBytes(24))
                    .isEqualTo(new Bytes().raw(pong).raw(pong).raw(pong).array());
            go.countDown();
            assertThat(said()).last().isEqualTo("1 0");
        } else {
            LockSupport.parkNanos(1_200_000_000); // time for two
            go.countDown();
            assertThat(said()).containsExactly("2 1", "1 0");
        }
    }

    @Test
    @Tag("RPT-3")
    void aFailureThatIsTheHostsOwnIsToldAfterTheEndToo() throws Exception {
        target =
                new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0)) {
                    @Override
                    public void enter(RunState next) throws MigrationException {
                        throw MigrationException.host("no processor is free");
                    }
                };
        begin(all(GREETING).u8(0));
        assertThat(said())
                .containsExactly("2 " + GREETING, REASON + " no processor is free", "1 1");
        assertThat(catchThrowableOfType(MigrationException.class, load::await))
                .hasMessage("no processor is free");
    }
}
