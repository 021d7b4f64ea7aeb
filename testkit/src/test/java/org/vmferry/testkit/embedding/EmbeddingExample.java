package org.vmferry.testkit.embedding;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.Statistics;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.memory.GuestMemory;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.notifier.MigrationVeto;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** What docs/embedding.md shows of the engine, as a host would write it. */
final class EmbeddingExample {
    final Engine engine = Engine.create();

    static final Settings SNAPSHOT = Settings.NONE.capability("mapped-ram");

    void save(Machine machine, Path file) throws IOException, InterruptedException {
        engine.send(machine, "file:" + file, SNAPSHOT).await();
        machine.enter(RunState.RUNNING); // it is in POSTMIGRATE: let it run on, or end it
    }

    void restore(Machine machine, Path file) throws IOException, InterruptedException {
        engine.receive(machine, "file:" + file, SNAPSHOT).await();
    }

    static RamBlock ram(Arena arena, long bytes) {
        GuestMemory memory = GuestMemory.allocate(arena, bytes); // memory.segment() is the CPUs'
        return memory.block("board.ram", 4096);
    }

    /** A part of an emulator that has saved itself as bytes long since. */
    interface SoundChip {
        byte[] snapshot();

        void restore(byte[] state) throws IOException;
    }

    static DeviceState sound(SoundChip chip) {
        return DeviceState.of("sound", chip::snapshot, chip::restore);
    }

    static final Settings LIVE =
            Settings.NONE
                    .capability("return-path")
                    .capability("multifd")
                    .parameter("multifd-compression", "zstd")
                    .parameter("max-bandwidth", "0") // bytes a second; 0: no limit
                    .parameter("downtime-limit", "300"); // ms

    Migration listen(Machine machine) throws IOException {
        Migration incoming = engine.receive(machine, "tcp:127.0.0.1:0", LIVE);
        System.out.println("listening on " + incoming.address()); // the port that the system chose
        return incoming;
    }

    void migrate(Machine machine, String address) throws IOException, InterruptedException {
        Migration outgoing = engine.send(machine, address, LIVE);
        outgoing.listen(state -> System.out.println(state.wireName()));
        while (!outgoing.await(Duration.ofSeconds(1))) {
            Statistics now = outgoing.statistics();
            System.out.println(now.remaining() + " bytes to go, round " + now.dirtySyncCount());
        }
        outgoing.await(); // throws why it failed; the guest then runs on here
        System.out.println("the guest stood still for " + outgoing.statistics().downtime() + " ms");
    }

    void end(Migration migration) throws InterruptedException {
        migration.cancel();
        if (!migration.await(Duration.ofSeconds(5))) migration.yank();
    }

    void afterwards(Machine machine, Migration outgoing) throws MigrationException {
        switch (outgoing.owner()) {
            case SOURCE -> {} // it runs on here, or stands as it did before
            case DESTINATION -> machine.enter(RunState.SHUTDOWN); // never to run here again
            case SNAPSHOT -> machine.enter(RunState.RUNNING); // or SHUTDOWN
            case UNKNOWN -> System.err.println(outgoing.owner().sentence()); // somebody must look
        }
    }

    void hurry(Migration migration) throws MigrationException {
        migration.change(Settings.NONE.parameter("downtime-limit", "2000"));
    }

    record NotWhileBackedUp(BooleanSupplier backup) implements MigrationNotifier {
        @Override
        public String id() {
            return "not-while-backed-up";
        }

        @Override
        public void notify(MigrationEvent event) throws MigrationVeto {
            if (event instanceof MigrationEvent.PrecopySetup && backup.getAsBoolean())
                throw new MigrationVeto("a backup is under way: try again when it is done");
        }
    }

    static Engine careful(BooleanSupplier backup) {
        return new Engine(Plugins.discover().plus(new NotWhileBackedUp(backup)));
    }
}
