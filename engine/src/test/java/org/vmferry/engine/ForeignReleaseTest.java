package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/**
 * What of a transport is to be let go may hang for ever, or throw: the operator is not kept by it.
 */
class ForeignReleaseTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    private final CountDownLatch letGo = new CountDownLatch(1);
    private final CountDownLatch reached = new CountDownLatch(1);

    /** Also when it gives connections for ever, once it is let go. */
    @AfterEach
    void nothingIsLeft() throws InterruptedException {
        letGo.countDown();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().matches("(send|receive)-\\d+.*")) {
                assertThat(thread.join(SOON)).as(thread.getName()).isTrue();
            }
        }
    }

    private void hang() {
        boolean done = false;
        while (!done) {
            try {
                letGo.await();
                done = true;
            } catch (InterruptedException e) {
                // It is deaf.
            }
        }
    }

    /** Where it hangs, or what it throws. */
    private enum Where {
        RELEASE,
        CLOSE,
        CHANNEL_RELEASE,
        THROWS
    }

    /** A transport of which nothing ever comes to an end by itself. */
    private final class Stubborn implements ChannelTransport {
        private final Where where;

        Stubborn(Where where) {
            this.where = where;
        }

        @Override
        public String id() {
            return "stubborn";
        }

        @Override
        public Set<Feature> features() {
            return Set.of(Feature.MANY_CHANNELS, Feature.RETURN_PATH);
        }

        private void at(Where here) {
            if (where == Where.THROWS && here == Where.RELEASE) throw new AssertionError("no");
            if (where == here) hang();
        }

        @Override
        public Opener opener(Address address, Options options) {
            return new Opener() {
                @Override
                public Channel open() {
                    return new Deaf();
                }

                @Override
                public void release() {
                    at(Where.RELEASE);
                }

                @Override
                public void close() {
                    at(Where.CLOSE);
                }
            };
        }

        @Override
        public Acceptor acceptor(Address address, Options options) {
            return new Acceptor() {
                @Override
                public Address address() {
                    return address;
                }

                @Override
                public Channel accept() {
                    reached.countDown();
                    hang();
                    return new Deaf();
                }

                @Override
                public void release() {
                    at(Where.RELEASE);
                }

                @Override
                public void close() {
                    at(Where.CLOSE);
                }
            };
        }

        private final class Deaf implements Channel {
            private int written;

            @Override
            public int write(ByteBuffer source) throws IOException {
                if (written++ > 0) {
                    reached.countDown();
                    hang();
                    throw new IOException("let go");
                }
                int count = source.remaining();
                source.position(source.limit());
                return count;
            }

            @Override
            public int read(ByteBuffer target) {
                hang();
                return -1;
            }

            @Override
            public void shutdownOutput() {}

            @Override
            public String peer() {
                return "nobody";
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {
                at(Where.CHANNEL_RELEASE);
            }
        }
    }

    private static void assertAnswers(Migration migration) {
        assertThat(migration.state()).isNotNull();
        assertThat(migration.owner()).isNotNull();
        assertThat(migration.statistics()).isNotNull();
        assertThat(migration.failure()).isNotNull();
    }

    @ParameterizedTest
    @EnumSource
    void aSourceIsCancelledAndYanked(Where where) throws Exception {
        TestMachine machine = TestMachine.live();
        Engine engine = new Engine(Plugins.builtIn().plus(new Stubborn(where)));
        Migration migration =
                engine.send(machine, "stubborn:x", Settings.NONE.capability("return-path"));
        reached.await();
        long began = System.nanoTime();
        assertThat(migration.cancel()).isTrue();
        assertAnswers(migration);
        assertThat(migration.yank()).isTrue();
        assertAnswers(migration);
        assertThat(migration.await(SOON)).isTrue();
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(10));
        assertThat(migration.state()).isEqualTo(MigrationState.CANCELLED);
        assertThat(migration.owner()).isEqualTo(GuestOwner.SOURCE);
        assertThat(machine.state).isEqualTo(RunState.RUNNING);
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(migration::await)
                .withMessageStartingWith("the migration was cancelled");
    }

    @ParameterizedTest
    @EnumSource(names = "CHANNEL_RELEASE", mode = EnumSource.Mode.EXCLUDE)
    void aDestinationIsYanked(Where where) throws Exception {
        TestMachine machine = new TestMachine(RunState.INMIGRATE, TestMachine.heap(512, 3));
        Engine engine = new Engine(Plugins.builtIn().plus(new Stubborn(where)));
        Migration migration = engine.receive(machine, "stubborn:x", Settings.NONE);
        reached.await();
        assertThat(migration.yank()).isTrue();
        assertAnswers(migration);
        assertThat(migration.await(SOON)).isTrue();
        assertThat(migration.state()).isEqualTo(MigrationState.FAILED);
        assertThat(machine.entered).isEmpty();
    }
}
