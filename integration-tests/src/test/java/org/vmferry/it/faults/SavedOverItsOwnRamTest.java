package org.vmferry.it.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.cli.jvm.ChildJvm;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.it.support.LoopDevice;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32C;

/**
 * A guest whose RAM is mapped from a snapshot, and a save that would write over it there: the guest
 * runs on with the RAM that it had, and the snapshot stays what it was.
 */
@Tag("OWN-10")
@Tag("OWN-28")
@Tag("MAP-17")
class SavedOverItsOwnRamTest {
    private static final Settings MAPPED = Settings.NONE.capability("mapped-ram");
    private static final Settings MULTIFD =
            MAPPED.capability("multifd").parameter("multifd-channels", "3");
    private static final long MIB = 1 << 20;

    @TempDir Path folder;
    private Path file;
    private final Engine engine = Engine.create();

    @BeforeEach
    void aName() {
        file = folder.resolve("vm.snap");
    }

    static ReferenceMachineBuilder builder() {
        return ReferenceMachine.builder().ram(8 << 20).dirtyWindow(1900).dirtyEvery(250);
    }

    /** A snapshot of a guest that has run for a while and would run on. */
    static void save(Engine engine, Path file, long offset) throws Exception {
        try (ReferenceMachine first = builder().build()) {
            first.runFor(2_000_000);
            first.enter(RunState.RUNNING);
            engine.send(first, address(file, offset), MAPPED).await();
        }
    }

    /**
     * A guest, and one like it that is never saved nor restored.
     *
     * @param machine its RAM is mapped
     * @param twin runs as long as the other did, when asked
     */
    private record Guest(ReferenceMachine machine, ReferenceMachine twin) implements AutoCloseable {
        static Guest restored(Engine engine, Path file, long offset) throws Exception {
            Guest guest = new Guest(builder().adopting().build(), builder().build());
            var before = guest.ram();
            engine.receive(guest.machine, address(file, offset), MAPPED).await();
            assertThat(guest.ram()).isNotEqualTo(before);
            assertThat(guest.machine.runState()).isEqualTo(RunState.RUNNING);
            return guest;
        }

        private Optional<MemorySegment> ram() {
            return machine.ram().blocks().get(2).memory();
        }

        /** It still runs, and is in the state that it should be in; it is paused then. */
        void isUnharmed() {
            long enough = machine.instructions() + 200_000;
            while (machine.runState() == RunState.RUNNING && machine.instructions() < enough) {
                LockSupport.parkNanos(200_000);
            }
            assertThat(machine.runState()).as(machine.stopReason()).isEqualTo(RunState.RUNNING);
            machine.enter(RunState.PAUSED);
            twin.runFor(machine.instructions() - twin.instructions());
            assertThat(machine.digest()).isEqualTo(twin.digest());
        }

        @Override
        public void close() {
            machine.close();
            twin.close();
        }
    }

    static String address(Path file, long offset) {
        return "file:" + file + ",offset=" + offset;
    }

    static int checksum(Path file) throws IOException {
        CRC32C sum = new CRC32C();
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer piece = ByteBuffer.allocate(1 << 20);
            while (channel.read(piece) >= 0) {
                sum.update(piece.flip());
                piece.clear();
            }
        }
        return (int) sum.getValue();
    }

    private void refused(Guest guest, Path where, long offset, Settings settings) throws Exception {
        int before = checksum(where);
        guest.machine.enter(RunState.RUNNING);
        Migration migration = engine.send(guest.machine, address(where, offset), settings);
        assertThatThrownBy(migration::await)
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("'" + where + "' from " + offset)
                .hasMessageContaining("a guest's RAM is mapped from its bytes")
                .hasMessageContaining("choose another");
        assertThat(migration.owner()).isEqualTo(GuestOwner.SOURCE);
        assertThat(checksum(where)).isEqualTo(before);
        guest.isUnharmed();
    }

    @ParameterizedTest
    @CsvSource({"4096, false", "1, false", "1048576, true"})
    void toTheSameFile(long offset, boolean multifd) throws Exception {
        save(engine, file, 4096);
        try (Guest guest = Guest.restored(engine, file, 4096)) {
            refused(guest, file, offset, multifd ? MULTIFD : MAPPED);
            // What the message proposes is right.
            guest.machine.enter(RunState.RUNNING);
            engine.send(guest.machine, "file:" + file, MAPPED).await();
            guest.machine.enter(RunState.RUNNING);
            guest.isUnharmed();
        }
        try (Guest again = Guest.restored(engine, file, 0)) {
            again.isUnharmed();
        }
    }

    @Test
    void throughAHardLink() throws Exception {
        save(engine, file, 4096);
        Path other = Files.createLink(folder.resolve("other.snap"), file);
        try (Guest guest = Guest.restored(engine, file, 4096)) {
            refused(guest, other, 4096, MAPPED);
        }
        save(engine, other, 4096); // nobody's any more
    }

    /** Another guest's, by another engine: who is saved makes no difference. */
    @Test
    void bySomebodyElse() throws Exception {
        save(engine, file, 4096);
        int before = checksum(file);
        try (Guest guest = Guest.restored(engine, file, 4096)) {
            assertThatThrownBy(() -> save(Engine.create(), file, 4096))
                    .hasMessageContaining("a guest's RAM is mapped from its bytes");
            assertThat(checksum(file)).isEqualTo(before);
            guest.isUnharmed();
        }
    }

    @Test
    void toABlockDeviceAtAnotherPlace() throws Exception {
        assumeTrue(NativeCalls.available(), "needs native access: without, there are no locks");
        try (LoopDevice device = LoopDevice.over(folder.resolve("disk"), 56 * MIB)) {
            save(engine, device.path(), 20 * MIB);
            try (Guest guest = Guest.restored(engine, device.path(), 20 * MIB)) {
                for (long offset : new long[] {20 * MIB, 24 * MIB, 12 * MIB}) {
                    refused(guest, device.path(), offset, MAPPED);
                }
                // Ranges that don't overlap are no harm.
                for (long offset : new long[] {MIB, 40 * MIB}) {
                    save(engine, device.path(), offset);
                    guest.machine.enter(RunState.RUNNING);
                    guest.isUnharmed();
                    try (Guest other = Guest.restored(engine, device.path(), offset)) {
                        other.isUnharmed();
                    }
                }
            }
            save(engine, device.path(), 24 * MIB); // nobody's any more
        }
    }

    /** What is written is more than RAM: how much more shows on the way only. */
    @Test
    void toABlockDeviceAndGrowingIntoIt() throws Exception {
        assumeTrue(NativeCalls.available(), "needs native access: without, there are no locks");
        try (LoopDevice device = LoopDevice.over(folder.resolve("disk"), 32 * MIB)) {
            save(engine, device.path(), 20 * MIB);
            byte[] before = Files.readAllBytes(device.path());
            try (Guest guest = Guest.restored(engine, device.path(), 20 * MIB)) {
                assertThatThrownBy(() -> save(engine, device.path(), 11 * MIB))
                        .hasMessageContaining("a guest's RAM is mapped from its bytes 20971520 to");
                byte[] after = Files.readAllBytes(device.path());
                int from = (int) (20 * MIB);
                assertThat(Arrays.mismatch(before, from, before.length, after, from, after.length))
                        .isEqualTo(-1);
                guest.isUnharmed();
            }
        }
    }

    @Test
    void toAnotherNodeOfTheDevice() throws Exception {
        try (LoopDevice device = LoopDevice.over(folder.resolve("disk"), 32 * MIB)) {
            Path node = device.secondNode(folder.resolve("node"));
            save(engine, device.path(), MIB);
            try (Guest guest = Guest.restored(engine, device.path(), MIB)) {
                refused(guest, node, 4 * MIB, MAPPED);
            }
        }
    }

    /** Restores a guest, and says when asked whether it is as it should be. */
    static final class Child {
        public static void main(String[] arguments) throws Exception {
            try (Guest guest =
                    Guest.restored(
                            Engine.create(), Path.of(arguments[0]), Long.parseLong(arguments[1]))) {
                System.out.println("restored");
                System.in.read();
                guest.isUnharmed();
                System.out.println("unharmed");
            }
        }
    }

    @Test
    void fromAnotherProcess() throws Exception {
        assumeTrue(NativeCalls.available(), "needs native access: without, there are no locks");
        save(engine, file, 4096);
        int before = checksum(file);
        try (ChildJvm child = new ChildJvm(Child.class, file.toString(), "4096")) {
            assertThat(child.answer()).isEqualTo("restored");
            assertThatThrownBy(() -> save(engine, file, 4096))
                    .hasMessageContaining("a guest's RAM is mapped from its bytes");
            assertThat(checksum(file)).isEqualTo(before);
            assertThat(child.ask("")).isEqualTo("unharmed");
        }
    }
}
