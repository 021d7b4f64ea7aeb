package org.vmferry.spi.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

@Timeout(60)
class OpenChannelsTest {
    private final OpenChannels end = new OpenChannels("memory:here");
    private Channel[] pair = {};

    private Channel[] pair() throws Exception {
        pair = JdkChannel.pair("memory:here");
        return pair;
    }

    @AfterEach
    void close() {
        for (Channel channel : pair) channel.release();
    }

    private record Asked(FutureTask<Channel> task, Thread thread) {}

    /** Somebody who waits already. */
    private Asked accepting() throws Exception {
        FutureTask<Channel> task = new FutureTask<>(end::accept);
        Thread thread = Thread.ofPlatform().daemon().start(task);
        while (thread.getState() != Thread.State.WAITING) Thread.onSpinWait();
        return new Asked(task, thread);
    }

    @Test
    void whoAcceptsIsGivenWhatComes() throws Exception {
        Asked asked = accepting();
        end.offer(pair()[0]);
        assertThat(asked.task.get()).isSameAs(pair[0]);
        assertThat(end.acceptNow()).isEmpty();
        end.offer(pair[1]);
        assertThat(end.acceptNow()).containsSame(pair[1]);
    }

    @Test
    void releaseLetsGoWhoAcceptsAndClosesWhatHasComeAndWhatStillComes() throws Exception {
        end.offer(pair()[0]);
        assertThat(end.accept()).isSameAs(pair[0]);
        Asked asked = accepting();
        end.release();
        assertThatThrownBy(asked.task::get)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(MigrationException.class)
                .hasMessage("memory:here was given up");
        assertThat(pair[0].isOpen()).isFalse();
        assertThatThrownBy(() -> end.offer(pair[1])).isInstanceOf(MigrationException.class);
        assertThat(pair[1].isOpen()).isFalse();
        assertThatThrownBy(end::acceptNow).hasMessage("memory:here was given up");
    }

    @Test
    void whatHasComeAndNobodyTookIsClosedToo() throws Exception {
        end.offer(pair()[0]);
        end.release();
        assertThat(pair[0].isOpen()).isFalse();
    }

    /** A destination may listen for days, and turn away who knocks. */
    @Test
    void whatWasClosedIsForgotten() throws Exception {
        List<WeakReference<Channel>> strangers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            Channel stranger = new Plain(null);
            strangers.add(new WeakReference<>(stranger));
            end.add(stranger);
        }
        System.gc();
        assertThat(strangers).filteredOn(one -> one.get() != null).hasSizeLessThan(20);
        end.add(pair()[0]);
        end.release();
        assertThat(pair[0].isOpen()).isFalse();
    }

    @Test
    void anInterruptEndsAcceptAndIsKept() throws Exception {
        Asked asked = accepting();
        asked.thread.interrupt();
        assertThatThrownBy(asked.task::get).hasMessageContaining("memory:here: interrupted");
        Thread.currentThread().interrupt();
        assertThatThrownBy(end::accept).isInstanceOf(MigrationException.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    /** As a channel has it that says nothing of many buffers. */
    @Test
    void ofManyBuffersTheFirstThatHasRoomIsTaken() throws Exception {
        Channel out = new Plain(pair()[0]);
        ByteBuffer[] sources = {
            ByteBuffer.wrap(new byte[] {9}),
            ByteBuffer.allocate(0),
            ByteBuffer.wrap(new byte[] {1, 2})
        };
        assertThat(out.write(sources, 1, 1)).isZero();
        assertThat(out.write(sources, 1, 2)).isEqualTo(2);
        assertThat(sources[0].hasRemaining()).isTrue();
        ByteBuffer[] targets = {ByteBuffer.allocate(0), ByteBuffer.allocate(5)};
        Channel in = new Plain(pair[1]);
        assertThat(in.read(targets)).isEqualTo(2);
        assertThat(targets[1].flip()).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2}));
        out.shutdownOutput();
        targets[1].clear();
        assertThat(in.read(targets)).isEqualTo(-1);
    }

    /** A channel with no more than it must have. */
    private record Plain(Channel real) implements Channel {
        @Override
        public int read(ByteBuffer target) throws IOException {
            return real.read(target);
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            return real.write(source);
        }

        @Override
        public void shutdownOutput() throws IOException {
            real.shutdownOutput();
        }

        @Override
        public String peer() {
            return real.peer();
        }

        @Override
        public boolean isOpen() {
            return real != null && real.isOpen();
        }

        @Override
        public void close() throws IOException {
            real.close();
        }
    }
}
