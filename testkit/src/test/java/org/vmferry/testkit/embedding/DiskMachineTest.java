package org.vmferry.testkit.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** When a disk's image changes hands: its lock sees to it that nobody takes it too early. */
@Timeout(120)
class DiskMachineTest {
    private static final Settings PLAIN = Settings.NONE.parameter("max-bandwidth", "0");
    private static final Settings BACK = PLAIN.capability("return-path");
    private static final Settings WAITS = BACK.capability("pause-before-switchover");

    @TempDir Path folder;
    private final Engine engine = Engine.create();
    private final List<String> said = Collections.synchronizedList(new ArrayList<>());
    private Path image;
    private DiskMachine source;
    private DiskMachine destination;
    private Migration load;

    @BeforeEach
    void run() throws Exception {
        image = Files.createFile(folder.resolve("disk"));
        source = new DiskMachine(new BankedMachine(), image, what -> said.add("source " + what));
        source.enter(RunState.RUNNING);
        said.clear();
        destination = arriving(image);
    }

    @AfterEach
    void end() throws Exception {
        source.enter(RunState.SHUTDOWN);
        destination.enter(RunState.SHUTDOWN);
        source.close();
        destination.close();
    }

    private DiskMachine arriving(Path path) {
        return new DiskMachine(new BankedMachine(), path, what -> said.add("destination " + what));
    }

    private Migration send(Settings settings) throws Exception {
        load = engine.receive(destination, "tcp:127.0.0.1:0", settings);
        return engine.send(source, load.address().toString(), settings);
    }

    private Migration standing() throws Exception {
        Migration save = send(WAITS);
        while (save.state() != MigrationState.PRE_SWITCHOVER) LockSupport.parkNanos(200_000);
        return save;
    }

    @Test
    void itIsGivenUpBehindTheOperatorsWordAndTakenAtTheEnd() throws Exception {
        Migration save = standing();
        said.add("the operator says go");
        save.proceed();
        save.await();
        load.await();
        assertThat(said)
                .startsWith(
                        "source flushes",
                        "the operator says go",
                        "source gives up",
                        "destination takes");
        assertThat(said.subList(4, said.size())).as("in POSTMIGRATE it has none").isEmpty();
    }

    @Test
    void theSameWithoutAReturnPath() throws Exception {
        Migration save = send(PLAIN);
        save.await();
        load.await();
        assertThat(said).containsExactly("source flushes", "source gives up", "destination takes");
    }

    @Test
    @Tag("OWN-33")
    void aCancelBeforeThatLeavesItWhereItIs() throws Exception {
        Migration save = standing();
        save.cancel();
        assertThatThrownBy(save::await).hasMessageContaining("cancelled");
        assertThat(said).containsExactly("source flushes");
        assertThat(source.runState()).isEqualTo(RunState.RUNNING);
    }

    /** The last moment at which a cancel is taken: it is given up already. */
    @Test
    @Tag("OWN-33")
    void aCancelBehindThatHasItTakenBackBeforeTheGuestGoesOn() throws Exception {
        Migration[] begun = new Migration[1];
        DiskMachine cancelled =
                new DiskMachine(new BankedMachine(), folder.resolve("other"), said::add) {
                    @Override
                    public synchronized void handOver() throws MigrationException {
                        super.handOver();
                        begun[0].cancel();
                    }
                };
        Files.createFile(folder.resolve("other"));
        cancelled.enter(RunState.RUNNING);
        said.clear();
        load = engine.receive(destination, "tcp:127.0.0.1:0", WAITS);
        begun[0] = engine.send(cancelled, load.address().toString(), WAITS);
        begun[0].proceed();
        assertThatThrownBy(begun[0]::await).hasMessageContaining("cancelled");
        assertThat(said).containsExactly("flushes", "gives up", "takes");
        assertThat(cancelled.runState()).isEqualTo(RunState.RUNNING);
        cancelled.enter(RunState.SHUTDOWN);
        cancelled.close();
    }

    @Test
    @Tag("OWN-8")
    void aDestinationThatCantHaveItGivesTheGuestBack() throws Exception {
        destination = arriving(folder.resolve("nowhere"));
        Migration save = send(BACK);
        assertThatThrownBy(save::await).hasMessageContainingAll("the disk's image", "can't be had");
        assertThat(said).containsExactly("source flushes", "source gives up", "source takes");
        assertThat(source.runState()).isEqualTo(RunState.RUNNING);
        assertThat(destination.runState()).isEqualTo(RunState.PRELAUNCH);
    }

    @Test
    @Tag("OWN-8")
    void soDoesOneThatCantLoadADevice() throws Exception {
        ForwardingMachine other =
                new ForwardingMachine(new BankedMachine()) {
                    @Override
                    public List<DeviceState> devices() {
                        return List.of(
                                DeviceState.of(
                                        "banked-cpu",
                                        () -> new byte[0],
                                        state -> {
                                            throw new IOException("not on this machine");
                                        }));
                    }
                };
        destination = new DiskMachine(other, image, what -> said.add("destination " + what));
        Migration save = send(BACK);
        assertThatThrownBy(save::await).isInstanceOf(MigrationException.class);
        assertThat(said).containsExactly("source flushes", "source gives up", "source takes");
        assertThat(source.runState()).isEqualTo(RunState.RUNNING);
    }

    @Test
    void aHandOverThatFailsLeavesTheGuestHere() throws Exception {
        ForwardingMachine stuck =
                new ForwardingMachine(source) {
                    @Override
                    public void handOver() throws MigrationException {
                        throw MigrationException.host("the mirror of the disk has not caught up");
                    }
                };
        load = engine.receive(destination, "tcp:127.0.0.1:0", BACK);
        Migration save = engine.send(stuck, load.address().toString(), BACK);
        assertThatThrownBy(save::await).hasMessageContaining("has not caught up");
        assertThat(said).containsExactly("source flushes");
        assertThat(source.runState()).isEqualTo(RunState.RUNNING);
    }

    @Test
    void aSnapshotGivesItUpUntilTheGuestGoesOn() throws Exception {
        engine.send(source, "file:" + folder.resolve("vm"), PLAIN).await();
        assertThat(said).containsExactly("source flushes", "source gives up");
        source.enter(RunState.RUNNING);
        assertThat(said).last().isEqualTo("source takes");
    }
}
