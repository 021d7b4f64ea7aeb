package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A destination that listens, and sockets to it; nothing of either is left in the end. */
abstract class Listening {
    static final Duration BOUND = Duration.ofSeconds(20);

    private static boolean counted;

    final Engine engine = Engine.create();
    ReferenceMachine machine = guest();
    Migration migration;
    private final List<Socket> sockets = new ArrayList<>();
    private long descriptors;

    @BeforeEach
    void count() throws IOException {
        descriptors = Leftovers.descriptors();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        for (Socket socket : sockets) socket.close();
        machine.close();
        Leftovers.assertNoThreadsAtAll();
        if (counted) assertThat(Leftovers.descriptors()).isLessThanOrEqualTo(descriptors);
        counted = true; // what the first one loads stays open
    }

    static ReferenceMachine guest() {
        return ReferenceMachine.builder().ram(1 << 20).dirtyWindow(20).build();
    }

    /** A guest that is never sent within a downtime of 0. */
    static ReferenceMachine restless() {
        return ReferenceMachine.builder()
                .ram(1 << 20)
                .dirtyWindow(20)
                .dirtyLog(NeverClean::new)
                .build();
    }

    static Settings multifd(String compression) {
        return Settings.NONE
                .capability("multifd")
                .parameter("multifd-channels", "2")
                .parameter("multifd-compression", compression);
    }

    void newMachine() throws Exception {
        machine.close();
        machine = guest();
    }

    void listen(Settings settings) throws IOException {
        if (migration != null && machine.runState() != RunState.PRELAUNCH) {
            machine.close();
            machine = guest();
        }
        migration = engine.receive(machine, "tcp:127.0.0.1:0", settings);
    }

    Socket connect(byte[]... parts) throws IOException {
        return connectFrom(InetAddress.getLoopbackAddress(), parts);
    }

    Socket connectFrom(InetAddress from, byte[]... parts) throws IOException {
        String address = migration.address().target();
        int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port, from, 0);
        sockets.add(socket);
        try {
            for (byte[] part : parts) socket.getOutputStream().write(part);
        } catch (IOException e) {
            // It has heard enough already.
        }
        return socket;
    }

    String failure() throws InterruptedException {
        assertThat(migration.await(BOUND)).as("it ends in time").isTrue();
        assertThat(migration.state()).isEqualTo(MigrationState.FAILED);
        assertThat(machine.runState()).as("never started").isEqualTo(RunState.PRELAUNCH);
        try {
            migration.await();
            throw new AssertionError("it completed");
        } catch (MigrationException e) {
            return e.getMessage();
        }
    }
}
