package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.Pipe;
import java.nio.channels.ReadableByteChannel;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;

/** What was read of a pipe can be read again, as far as it is kept. */
@Timeout(60)
class StandardInputTest {
    private static final int LENGTH = StandardInput.WINDOW + 12345;
    private final byte[] bytes = new byte[LENGTH];

    /** Gives between one byte and some thousands at once. */
    private StandardInput input() {
        Random random = new Random(1);
        random.nextBytes(bytes);
        ByteBuffer left = ByteBuffer.wrap(bytes);
        return new StandardInput(
                new ReadableByteChannel() {
                    @Override
                    public int read(ByteBuffer target) {
                        if (!left.hasRemaining()) return -1;
                        int step = Math.min(1 + random.nextInt(70_000), target.remaining());
                        step = Math.min(step, left.remaining());
                        target.put(left.slice(left.position(), step));
                        left.position(left.position() + step);
                        return step;
                    }

                    @Override
                    public boolean isOpen() {
                        return true;
                    }

                    @Override
                    public void close() {}
                });
    }

    private void reads(StandardInput in, int position, int length) throws IOException {
        ByteBuffer target = ByteBuffer.allocate(length);
        int there = Math.clamp((long) LENGTH - position, 0, length);
        assertThat(in.read(target, position)).isEqualTo(there);
        assertThat(target.flip()).isEqualTo(ByteBuffer.wrap(bytes, position, there));
    }

    @Test
    void itIsReadFromFrontToBackAndAgainWithinItsWindow() throws IOException {
        StandardInput in = input();
        reads(in, 0, 92);
        reads(in, 0, 300_000);
        reads(in, 4, 8);
        reads(in, 1_000_000, 5_000_000); // what stands before is passed over
        reads(in, 999_999, 2);
        reads(in, 6_000_000, LENGTH - 6_000_000);
        reads(in, LENGTH - 1, 10);
        reads(in, LENGTH, 10);
        reads(in, LENGTH - StandardInput.WINDOW, StandardInput.WINDOW);
    }

    @Test
    void whatHasGoneIsRefusedByName() throws IOException {
        StandardInput in = input();
        reads(in, 0, LENGTH);
        assertThatThrownBy(() -> in.read(ByteBuffer.allocate(1), 12344))
                .hasMessageContaining("standard input is read once, and byte 12344")
                .hasMessageContaining("write it to a file first");
    }

    @Test
    void whoWaitsForBytesIsLetGo() throws Exception {
        Pipe pipe = Pipe.open();
        StandardInput in = new StandardInput(pipe.source());
        CountDownLatch begins = new CountDownLatch(1);
        FutureTask<Throwable> reading =
                new FutureTask<>(
                        () -> {
                            begins.countDown();
                            try {
                                in.read(ByteBuffer.allocate(1), 0);
                                return null;
                            } catch (IOException e) {
                                return e;
                            }
                        });
        Thread.ofPlatform().daemon().start(reading);
        begins.await();
        in.release();
        assertThat(reading.get()).isInstanceOf(ClosedChannelException.class);
        pipe.sink().close();
    }
}
