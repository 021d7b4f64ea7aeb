package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A whole migration was recorded; one of its channels has more behind its last SYNC. In whatever
 * order the three arrive, it ends the same way, each time.
 */
class ChannelTailTest extends Listening {
    private static final int TIMES = 2;
    private static final List<int[]> ORDERS =
            List.of(
                    new int[] {0, 1, 2},
                    new int[] {0, 2, 1},
                    new int[] {1, 0, 2},
                    new int[] {1, 2, 0},
                    new int[] {2, 0, 1},
                    new int[] {2, 1, 0});

    static final List<Arguments> TAILS =
            List.of(
                    Arguments.of("nothing", new byte[0]),
                    Arguments.of("garbage", garbage()),
                    Arguments.of("a packet that is cut", new byte[] {0x11, 0x22, 0x33}),
                    Arguments.of("pages", new MultifdBytes.Packet().bytes()),
                    Arguments.of("one more SYNC", MultifdBytes.sync(1000)));

    private static final List<byte[]> RECORDED = new ArrayList<>(); // the main stream first

    private static byte[] garbage() {
        byte[] bytes = new byte[100_000];
        new Random(1).nextBytes(bytes);
        return bytes;
    }

    @BeforeAll
    static void record() throws Exception {
        List<Thread> readers = new ArrayList<>();
        byte[][] all = new byte[3][];
        try (ServerSocket server = new ServerSocket(0, 9, InetAddress.getLoopbackAddress());
                ReferenceMachine source = guest()) {
            source.enter(RunState.PAUSED);
            Settings settings = multifd("none");
            Migration save =
                    Engine.create()
                            .send(source, "tcp:127.0.0.1:" + server.getLocalPort(), settings);
            for (int i = 0; i < all.length; i++) {
                int number = i;
                Socket socket = server.accept();
                Thread reader =
                        new Thread(
                                () -> {
                                    try (socket) {
                                        all[number] = socket.getInputStream().readAllBytes();
                                    } catch (IOException e) {
                                        throw new UncheckedIOException(e);
                                    }
                                });
                readers.add(reader);
                reader.start();
            }
            save.await();
        }
        for (Thread reader : readers) reader.join();
        RECORDED.clear();
        RECORDED.addAll(List.of(all));
    }

    @ParameterizedTest(name = "{0}")
    @FieldSource("TAILS")
    @Tag("MFD-24")
    void endsTheSameWayInEveryOrder(String what, byte[] tail) throws Exception {
        List<String> ends = new ArrayList<>();
        for (int time = 0; time < TIMES; time++) {
            for (int[] order : ORDERS) {
                newMachine();
                listen(multifd("none"));
                for (int one : order) {
                    connect(RECORDED.get(one), one == 2 ? tail : new byte[0]).shutdownOutput();
                }
                assertThat(migration.await(BOUND)).as("it ends in time").isTrue();
                ends.add(
                        migration.state()
                                + migration.failure().map(e -> ": " + e.getMessage()).orElse(""));
            }
        }
        assertThat(ends).containsOnly(MigrationState.COMPLETED.toString());
    }
}
