package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.support.Captures;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Streams that real QEMUs wrote, with one piece of each damaged: whoever reads them comes to an
 * end, with a sentence that blames the stream, and never with a guest that could start half.
 */
@Timeout(300)
class DamagedCapturesTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int[] EXTREMES = {0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 1 << 20};
    private static final int MOST_SAID = 2000; // characters

    @TempDir Path folder;
    private final Engine engine = Engine.create();

    /** Half of the damage is where sections begin: in the first KiB, or behind RAM. */
    private static byte[] damaged(byte[] whole, SplittableRandom random) {
        int at =
                switch (random.nextInt(4)) {
                    case 0 -> random.nextInt(Math.min(whole.length, 1024));
                    case 1 -> whole.length - 1 - random.nextInt(Math.min(whole.length, 12_000));
                    default -> random.nextInt(whole.length);
                };
        int length = Math.min(whole.length - at, 1 + random.nextInt(64));
        ByteBuffer out = ByteBuffer.allocate(whole.length + length);
        out.put(whole);
        switch (random.nextInt(6)) {
            case 0 -> out.put(at, (byte) (whole[at] ^ 1 << random.nextInt(8)));
            case 1 -> put(out, at, random.nextInt());
            case 2 -> put(out, at, EXTREMES[random.nextInt(EXTREMES.length)]);
            case 3 -> out.position(at); // cut off
            case 4 -> out.position(at).put(whole, at + length, whole.length - at - length);
            default -> out.position(at + length).put(whole, at, whole.length - at);
        }
        return Arrays.copyOf(out.array(), out.position());
    }

    private static void put(ByteBuffer out, int at, int value) {
        if (at + 4 <= out.position()) out.putInt(at, value);
    }

    @ParameterizedTest
    @MethodSource("org.vmferry.it.support.Captures#all")
    @Tag("STR-13")
    @Tag("STR-20")
    @Tag("STR-22")
    @Tag("STR-24")
    void endsWithASentence(String name) throws Exception {
        damage(name, 0, 4);
    }

    @ParameterizedTest
    @MethodSource("org.vmferry.it.support.Captures#all")
    @Tag("stress")
    @Timeout(1800)
    void endsWithASentenceAFewHundredTimes(String name) throws Exception {
        damage(name, 1000, 300);
    }

    private void damage(String name, int first, int count) throws Exception {
        byte[] whole = Captures.bytes(name);
        for (int seed = first; seed < first + count; seed++) {
            byte[] bytes = damaged(whole, new SplittableRandom(seed));
            try {
                isLookedInto(bytes);
                isTakenOrRefused(bytes);
            } catch (AssertionError e) {
                throw new AssertionError(name + ", seed " + seed + ": " + e.getMessage(), e);
            }
        }
        Leftovers.assertNoThreadsAtAll();
    }

    private void isLookedInto(byte[] bytes) throws Exception {
        Path file = Files.write(folder.resolve("file"), bytes);
        for (String deed : new String[] {"inspect", "verify"}) {
            Commands command = new Commands();
            int status = command.run(deed, file);
            assertThat(status).as(command.err()).isIn(0, 1, 3);
            assertThat(command.err())
                    .hasSizeLessThan(MOST_SAID)
                    .doesNotContain("Exception", "Error", "\tat ", "out of memory");
            if (status == 1) assertThat(command.err()).isNotBlank();
        }
    }

    private void isTakenOrRefused(byte[] bytes) throws Exception {
        Path place = folder.resolve("socket");
        Settings settings = Settings.NONE.parameter("eof-silence", "100");
        try (ArchiveMachine archive = ArchiveMachine.in(folder);
                SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            Migration load = engine.receive(archive, "unix:" + place, settings);
            socket.connect(UnixDomainSocketAddress.of(place));
            ByteBuffer all = ByteBuffer.wrap(bytes);
            try {
                while (all.hasRemaining()) socket.write(all);
                socket.shutdownOutput();
            } catch (IOException e) { // it has heard enough
            }
            assertThat(load.await(SOON)).as("it ends").isTrue();
            if (load.state() == MigrationState.COMPLETED) return;
            MigrationException why = load.failure().orElseThrow();
            assertThat(why.blame()).as("%s", why).isIn(Blame.PEER, Blame.TRANSPORT, Blame.USER);
            assertThat(why.getMessage()).hasSizeLessThan(MOST_SAID).doesNotContain("Exception");
            assertThat(archive.runState()).isEqualTo(RunState.INMIGRATE);
        }
    }
}
