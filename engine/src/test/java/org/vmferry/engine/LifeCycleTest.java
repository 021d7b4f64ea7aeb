package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Mode;
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.notifier.MigrationVeto;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** What a host and its users see while a migration runs. */
class LifeCycleTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir Path folder;

    private String file() {
        return "file:" + folder.resolve("vm");
    }

    private static TestMachine running() {
        TestMachine machine = new TestMachine(RunState.RUNNING, TestMachine.heap(64, 3));
        machine.log = Optional.of(new Dirty(0));
        return machine;
    }

    /** A guest that dirties so many pages in each round. */
    private static class Dirty implements DirtyLog {
        volatile int pages;

        Dirty(int pages) {
            this.pages = pages;
        }

        @Override
        public void start() {}

        @Override
        public void stop() {}

        @Override
        public void harvest(RamBlock block, PageBitmap into) {
            into.fill(0, Math.min(pages, block.pages()), true);
        }
    }

    private static final class Listener implements MigrationNotifier {
        private final String id;
        private final Set<Mode> modes;
        private final List<String> heard;
        private final RuntimeException bug;
        private final boolean veto;

        Listener(String id, List<String> heard, boolean veto, RuntimeException bug, Mode... modes) {
            this.id = id;
            this.heard = heard;
            this.veto = veto;
            this.bug = bug;
            this.modes = Set.of(modes);
        }

        @Override
        public String id() {
            return id;
        }

        @Override
        public Set<Mode> modes() {
            return modes;
        }

        @Override
        public void notify(MigrationEvent event) throws MigrationVeto {
            heard.add(id + " " + event.getClass().getSimpleName());
            if (veto) throw new MigrationVeto("a device is passed through");
            if (bug != null) throw bug;
        }
    }

    private final List<String> heard = Collections.synchronizedList(new ArrayList<>());

    private Engine engine(MigrationNotifier... notifiers) {
        return new Engine(Plugins.discover().plus(notifiers));
    }

    private Listener listener(String id) {
        return new Listener(id, heard, false, null, Mode.NORMAL);
    }

    @Test
    void notifiersAreTold() throws Exception {
        Engine engine =
                engine(
                        listener("one"),
                        new Listener(
                                "buggy",
                                heard,
                                false,
                                new IllegalStateException("bug"),
                                Mode.NORMAL),
                        new Listener("cpr", heard, false, null, Mode.CPR_REBOOT));
        engine.send(running(), file(), Settings.NONE).await();
        assertThat(heard)
                .containsExactly(
                        "one PrecopySetup",
                        "buggy PrecopySetup",
                        "one PrecopyDone",
                        "buggy PrecopyDone");
    }

    @Test
    void aVetoIsHeardByThoseToldBefore() throws Exception {
        Engine engine =
                engine(
                        listener("one"),
                        listener("two"),
                        new Listener("vetoing", heard, true, null, Mode.NORMAL),
                        listener("never"));
        TestMachine machine = running();
        Migration migration = engine.send(machine, file(), Settings.NONE);
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(migration::await)
                .withMessageContaining("vetoing")
                .withMessageContaining("a device is passed through");
        assertThat(heard)
                .containsExactly(
                        "one PrecopySetup",
                        "two PrecopySetup",
                        "vetoing PrecopySetup",
                        "one PrecopyFailed",
                        "two PrecopyFailed");
        assertThat(machine.entered).isEmpty();
        assertThat(Files.list(folder)).isEmpty();
    }

    @Test
    void aFailureIsHeard() throws Exception {
        TestMachine machine = running();
        Migration migration =
                engine(listener("one")).send(machine, "tcp:127.0.0.1:1", Settings.NONE);
        assertThatExceptionOfType(MigrationException.class).isThrownBy(migration::await);
        assertThat(heard).containsExactly("one PrecopySetup", "one PrecopyFailed");
    }

    @Test
    void itWaitsBeforeTheSwitchOver() throws Exception {
        TestMachine machine = running();
        Migration migration =
                engine().send(machine, file(), Settings.NONE.capability("pause-before-switchover"));
        await(migration, MigrationState.PRE_SWITCHOVER);
        assertThat(machine.state).isEqualTo(RunState.FINISH_MIGRATE);
        assertThat(folder.resolve("vm")).doesNotExist();
        migration.proceed();
        migration.await();
        assertThat(folder.resolve("vm")).exists();
    }

    @Test
    void itIsCancelledBeforeTheSwitchOver() throws Exception {
        TestMachine machine = running();
        Migration migration =
                engine().send(machine, file(), Settings.NONE.capability("pause-before-switchover"));
        await(migration, MigrationState.PRE_SWITCHOVER);
        assertThat(migration.cancel()).isTrue();
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(migration::await)
                .withMessageContaining("cancelled");
        assertThat(migration.state()).isEqualTo(MigrationState.CANCELLED);
        assertThat(machine.state).isEqualTo(RunState.RUNNING);
        assertThat(Files.list(folder)).isEmpty();
    }

    private static void await(Migration migration, MigrationState state) {
        long end = System.nanoTime() + SOON.toNanos();
        while (migration.state() != state) {
            assertThat(System.nanoTime()).as("%s in time", state).isLessThan(end);
            Thread.onSpinWait();
        }
    }

    @Test
    void cprPausesBeforeAnythingIsSaved() throws Exception {
        List<RunState> whenAsked = new ArrayList<>();
        TestMachine machine =
                new TestMachine(RunState.RUNNING, TestMachine.heap(8, 1)) {
                    @Override
                    public org.vmferry.spi.ram.RamProvider ram() {
                        return new org.vmferry.spi.ram.RamProvider() {
                            @Override
                            public List<RamBlock> blocks() {
                                return TestMachine.heap(8, 1);
                            }

                            @Override
                            public Optional<DirtyLog> dirtyLog() {
                                return Optional.of(
                                        new Dirty(0) {
                                            @Override
                                            public void start() {
                                                whenAsked.add(state);
                                            }
                                        });
                            }
                        };
                    }
                };
        engine().send(machine, file(), Settings.NONE.parameter("mode", "cpr-reboot")).await();
        assertThat(whenAsked).containsExactly(RunState.FINISH_MIGRATE);
        // What goes to the destination is the state from before.
        TestMachine target = new TestMachine(RunState.INMIGRATE, TestMachine.heap(8, 0));
        engine().receive(target, file(), Settings.NONE).await();
        assertThat(target.state).isEqualTo(RunState.RUNNING);
    }

    /** So slow that what is dirtied in a round never fits into no downtime at all. */
    private static final Settings HOPELESS =
            Settings.NONE.parameter("downtime-limit", "0").parameter("max-bandwidth", "10000000");

    @Test
    void aGuestThatDoesNotConvergeIsReported() throws Exception {
        TestMachine machine = running();
        machine.log = Optional.of(new Dirty(60));
        Migration migration =
                engine().send(machine, file(), HOPELESS.parameter("round-limit", "4"));
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(migration::await)
                .withMessageContaining("did not converge in 4 rounds")
                .withMessageContaining("downtime-limit 0 ms");
        assertThat(migration.statistics().expectedDowntime()).isPositive();
        assertThat(migration.statistics().dirtyPagesRate()).isPositive();
        assertThat(machine.entered).isEmpty();
        assertThat(machine.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    void autoConvergeSlowsTheGuestUntilItFits() throws Exception {
        Dirty dirty = new Dirty(60);
        List<Integer> percents = Collections.synchronizedList(new ArrayList<>());
        TestMachine machine =
                new TestMachine(RunState.RUNNING, TestMachine.heap(64, 3)) {
                    @Override
                    public Optional<CpuThrottle> throttle() {
                        return Optional.of(
                                percent -> {
                                    percents.add(percent);
                                    if (percent >= 40) dirty.pages = 0;
                                });
                    }
                };
        machine.log = Optional.of(dirty);
        engine().send(machine, file(), HOPELESS.capability("auto-converge")).await();
        assertThat(percents).containsExactly(20, 30, 40, 0);
    }

    @Test
    void autoConvergeNeedsAGuestThatCanBeSlowed() throws Exception {
        TestMachine machine = running();
        Migration migration =
                engine().send(machine, file(), Settings.NONE.capability("auto-converge"));
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(migration::await)
                .withMessageContaining("can't be slowed down");
        assertThat(machine.state).isEqualTo(RunState.RUNNING);
    }

    private record Shared(RamBlock block, long address) implements RamBlock {
        @Override
        public String id() {
            return block.id();
        }

        @Override
        public long usedLength() {
            return block.usedLength();
        }

        @Override
        public int pageSize() {
            return block.pageSize();
        }

        @Override
        public boolean shared() {
            return true;
        }

        @Override
        public OptionalLong guestAddress() {
            return OptionalLong.of(address);
        }

        @Override
        public void read(long offset, MemorySegment target) {
            block.read(offset, target);
        }

        @Override
        public void write(long offset, MemorySegment source) {
            block.write(offset, source);
        }
    }

    private static TestMachine sharing(RunState state, int seed, long address) {
        List<RamBlock> blocks = TestMachine.heap(64, seed);
        return new TestMachine(state, List.of(new Shared(blocks.get(0), address), blocks.get(1)));
    }

    @Test
    void sharedBlocksAreLeftOut() throws Exception {
        Settings ignore = Settings.NONE.capability("x-ignore-shared");
        TestMachine source = sharing(RunState.RUNNING, 5, 0x1000_0000);
        engine().send(source, file(), ignore).await();
        assertThat(Files.size(folder.resolve("vm"))).isLessThan(20_000);
        TestMachine target = sharing(RunState.INMIGRATE, 0, 0x1000_0000);
        engine().receive(target, file(), ignore).await();
        assertThat(TestMachine.bytes(target.ram().blocks().getFirst())).containsOnly(0);

        TestMachine elsewhere = sharing(RunState.INMIGRATE, 0, 0x2000_0000);
        Migration refused = engine().receive(elsewhere, file(), ignore);
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(refused::await)
                .withMessageContaining("0x10000000")
                .withMessageContaining("0x20000000");
    }

    @Test
    @Tag("RPT-1")
    @Tag("RPT-3")
    void theDestinationsWordCompletesIt() throws Exception {
        Settings back = Settings.NONE.capability("return-path").parameter("max-bandwidth", "0");
        TestMachine target = new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0));
        Migration load = engine().receive(target, "tcp:127.0.0.1:0", back);
        TestMachine source = running();
        Migration save = engine().send(source, load.address().toString(), back);
        save.await();
        load.await();
        assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
        assertThat(target.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    @Tag("RPT-3")
    @Tag("RPT-4")
    void theDestinationsFailureLetsTheSourceGoOn() throws Exception {
        Settings back = Settings.NONE.capability("return-path").parameter("max-bandwidth", "0");
        TestMachine target =
                new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0)) {
                    @Override
                    public void enter(RunState next) throws MigrationException {
                        throw MigrationException.host("no processor is free");
                    }
                };
        Migration load = engine().receive(target, "tcp:127.0.0.1:0", back);
        TestMachine source = running();
        Migration save = engine().send(source, load.address().toString(), back);
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(save::await)
                .withMessageContaining("the destination failed to load");
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(load::await)
                .withMessageContaining("no processor is free");
        assertThat(source.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    @Tag("RPT-4")
    void aLostLinkBeforeTheDestinationsWordLeavesTheOutcomeOpen() throws Exception {
        try (ServerSocketChannel server =
                ServerSocketChannel.open().bind(new InetSocketAddress("127.0.0.1", 0))) {
            int port = ((InetSocketAddress) server.getLocalAddress()).getPort();
            TestMachine source = running();
            Migration save =
                    engine().send(
                                    source,
                                    "tcp:127.0.0.1:" + port,
                                    Settings.NONE
                                            .capability("return-path")
                                            .parameter("max-bandwidth", "0"));
            try (SocketChannel peer = server.accept()) {
                readToDescription(peer);
                assertThat(save.cancel()).as("too late to cancel").isFalse();
            }
            assertThatExceptionOfType(MigrationException.class)
                    .isThrownBy(save::await)
                    .withMessageContaining("resume it only if it does not run there");
            assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
        }
    }

    @Test
    @Tag("RPT-4")
    void aLinkLostWithinTheEndLeavesTheOutcomeOpenWithoutAReturnPathToo() throws Exception {
        org.vmferry.spi.transport.Channel cut =
                org.mockito.Mockito.mock(org.vmferry.spi.transport.Channel.class);
        org.mockito.Mockito.when(cut.write(org.mockito.ArgumentMatchers.any(ByteBuffer.class)))
                .thenAnswer(
                        call -> {
                            ByteBuffer bytes = call.getArgument(0);
                            byte[] sent = new byte[bytes.remaining()];
                            bytes.get(sent);
                            if (new String(sent, java.nio.charset.StandardCharsets.ISO_8859_1)
                                    .contains("\"devices\"")) {
                                throw new IOException("reset by peer");
                            }
                            return sent.length;
                        });
        var links = new org.vmferry.engine.transport.NamedChannels();
        links.register("cut", cut);
        Engine engine =
                new Engine(
                        Plugins.discover()
                                .plus(new org.vmferry.engine.transport.FdTransport(links)));
        TestMachine source = running();
        Migration save =
                engine.send(source, "fd:cut", Settings.NONE.parameter("max-bandwidth", "0"));
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(save::await)
                .withMessageContaining("resume it only if it does not run there");
        assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
    }

    /** Reads until the VMDESCRIPTION's last brackets. */
    private static void readToDescription(SocketChannel peer) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(1 << 20);
        while (!new String(
                        bytes.array(),
                        0,
                        bytes.position(),
                        java.nio.charset.StandardCharsets.ISO_8859_1)
                .endsWith("}]}]}")) {
            assertThat(peer.read(bytes)).isPositive();
        }
    }
}
