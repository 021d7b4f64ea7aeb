package org.vmferry.it.ownership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Guests;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Streams without a VMDESCRIPTION, with a return path: where they end, and who runs the guest then,
 * which is asked of the guests: they count on, or stand.
 */
@Timeout(120)
class EndOfStreamTest {
    private static final Duration BOUND = Duration.ofSeconds(60);
    private static final Settings BACK =
            Settings.NONE.capability("return-path").parameter("max-bandwidth", "0");

    @TempDir Path folder;
    private final Engine engine = Engine.create();
    private final ReferenceMachine here = guest();
    private final ReferenceMachine there = guest();

    private static ReferenceMachine guest() {
        return ReferenceMachine.builder().ram(8 << 20).dirtyWindow(100).build();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        here.close();
        there.close();
        Leftovers.assertNoThreadsAtAll();
    }

    private void start(ReferenceMachine guest) {
        guest.runFor(1000);
        guest.enter(RunState.RUNNING);
    }

    private static void assertStands(ReferenceMachine guest) {
        assertThat(guest.runState()).isEqualTo(RunState.POSTMIGRATE);
        Guests.assertStands(guest);
    }

    @Test
    @Tag("OWN-14")
    @Tag("STR-8")
    void aHostBeginsAtTheEndItself() throws Exception {
        start(here);
        Migration load = engine.receive(there, "tcp:127.0.0.1:0", BACK);
        try (EndLink link = new EndLink(load.address().toString(), 0)) {
            engine.send(here, link.address(), BACK).await();
            load.await();
        }
        Guests.assertRuns(there);
        assertStands(here);
    }

    /** Devices whose bytes can be read as sections of their own. */
    private static final class Ambiguous extends ForwardingMachine {
        Ambiguous(ReferenceMachine machine) {
            super(machine);
        }

        @Override
        public List<DeviceState> devices() {
            List<DeviceState> all = new ArrayList<>(super.devices());
            int id = 2 + all.size();
            all.add(
                    new DeviceState() {
                        @Override
                        public String id() {
                            return "mirror";
                        }

                        @Override
                        public void save(DataOutput out) throws IOException {
                            out.writeByte(0x7e);
                            out.writeInt(id);
                            out.writeByte(4);
                            out.writeInt(id);
                            out.writeUTF(""); // two bytes: a name of no letters, and one byte
                            out.write(new byte[7]);
                        }

                        @Override
                        public void load(DataInput in, int version) {
                            throw new UnsupportedOperationException();
                        }
                    });
            return all;
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("OWN-15")
    @Tag("OWN-16")
    @Tag("STR-13")
    void anArchiveGuessesOnlyWhatCanBeReadInOneWay(boolean several) throws Exception {
        Machine source = several ? new Ambiguous(here) : here;
        start(here);
        Settings hasty = BACK.parameter("eof-silence", "300").parameter("silence-timeout", "900");
        boolean[] kept = new boolean[1];
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            archive.whenWhole(() -> kept[0] = true);
            Migration load = engine.receive(archive, "tcp:127.0.0.1:0", hasty);
            try (EndLink link = new EndLink(load.address().toString(), 0)) {
                Migration save = engine.send(source, link.address(), BACK);
                assertThat(save.await(BOUND) && load.await(BOUND)).isTrue();
                if (several) {
                    assertThat(catchThrowableOfType(MigrationException.class, save::await))
                            .hasMessageContainingAll("destination failed", "in several ways");
                    Guests.assertRuns(here);
                } else {
                    save.await();
                    load.await();
                    assertStands(here);
                }
            }
            assertThat(kept[0]).isEqualTo(!several);
        }
    }

    @Test
    @Tag("OWN-15")
    @Tag("STR-13")
    void aSourceThatStallsBehindEachZeroIsNotTakenForOneThatHasEnded() throws Exception {
        here.runFor(1000);
        here.enter(RunState.PAUSED); // so that little but devices comes last
        List<String> devices =
                new ArrayList<>(here.devices().stream().map(DeviceState::id).toList());
        devices.add("globalstate");
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            Migration load =
                    engine.receive(archive, "tcp:127.0.0.1:0", BACK.parameter("eof-silence", "2"));
            try (EndLink link = new EndLink(load.address().toString(), 6)) {
                engine.send(here, link.address(), BACK).await();
                load.await();
                assertThat(link.stalls()).isGreaterThan(100);
            }
            assertThat(archive.sections().sections())
                    .extracting(Section::id)
                    .filteredOn(id -> !id.equals("ram"))
                    .containsExactlyElementsOf(devices);
        }
        assertStands(here);
    }

    /** And what was kept of it starts in another QEMU, that has none either. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @RequiresQemu(old = true)
    @Tag("OWN-15")
    @Tag("STR-13")
    void aQemuWithoutADescriptionIsKept(boolean old) throws Exception {
        QemuBinary binary = (old ? QemuBinary.old() : QemuBinary.current()).orElseThrow();
        QemuBuilder builder =
                Qemu.builder()
                        .binary(binary)
                        .machine("pc,suppress-vmdesc=on")
                        .rom(GuestRom.counting());
        try (Qemu source = builder.start();
                ArchiveMachine archive = ArchiveMachine.in(folder)) {
            source.awaitSerial(30, BOUND);
            source.setCapabilities("return-path");
            Migration load =
                    engine.receive(
                            archive, "tcp:127.0.0.1:0", BACK.parameter("eof-silence", "500"));
            source.migrate(load.address().toString());
            load.await();
            source.awaitMigration(BOUND);
            assertThat(source.status()).isEqualTo("postmigrate");
            assertThat(archive.sections().description()).isEmpty();
            String before = source.serial();

            // In a file, too, in which a trailer follows.
            Settings placed = Settings.NONE.capability("mapped-ram");
            String file = "file:" + folder.resolve("kept");
            engine.send(archive, file, placed).await();
            try (ArchiveMachine again = ArchiveMachine.in(folder);
                    Qemu destination = builder.incoming().start()) {
                engine.receive(again, file, placed).await();
                destination.migrateIncoming("tcp:127.0.0.1:0");
                engine.send(again, "tcp:127.0.0.1:" + destination.incomingPort(), BACK).await();
                destination.awaitMigration(BOUND);
                GuestRom.lastCount(before + destination.awaitSerial(30, BOUND));
            }
            assertThat(source.serial()).as("it stands").isEqualTo(before);
        }
    }
}
