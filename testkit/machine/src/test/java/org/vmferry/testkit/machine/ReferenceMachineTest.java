package org.vmferry.testkit.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vmferry.testkit.machine.Rv64.Register.A0;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.testkit.machine.Rv64.Store;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

class ReferenceMachineTest {
    private static final ValueLayout.OfLong LITTLE =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static ReferenceMachineBuilder small() {
        return ReferenceMachine.builder()
                .ram(2 << 20)
                .dirtyWindow(300)
                .dirtyEvery(1000)
                .printEvery(50_000);
    }

    @Test
    void theGuestCountsAndFindsItsMemoryRight() {
        try (ReferenceMachine machine = small().build()) {
            assertThat(machine.runFor(10_049_000)).isTrue();
            assertThat(machine.instructions()).isEqualTo(10_049_000);
            assertThat(machine.output()).isEqualTo(count(200));
            assertThat(machine.stopReason()).isEmpty();
        }
    }

    static String count(int last) {
        return IntStream.rangeClosed(1, last).mapToObj(i -> i + "\n").collect(Collectors.joining());
    }

    @Test
    void theGuestWritesAtTheRateThatWasAskedFor() {
        try (ReferenceMachine machine = small().dirtyWindow(200).build()) {
            machine.runFor(1_000_000);
            // Each write adds 1 to a generation in the table at the beginning of RAM.
            MemorySegment ram = machine.ram().blocks().get(2).memory().orElseThrow();
            long writes = 0;
            for (int page = 0; page < 200; page++) writes += ram.get(LITTLE, page * 8);
            assertThat(writes).isBetween(990L, 1001L);
        }
    }

    @Test
    void theGuestNoticesALostWrite() {
        try (ReferenceMachine machine = small().build()) {
            machine.runFor(5_000_000);
            RamBlock ram = machine.ram().blocks().get(2);
            ram.write(200 * 4096, MemorySegment.ofArray(new byte[4096]));
            assertThat(machine.runFor(5_000_000)).isFalse();
            assertThat(machine.runState()).isEqualTo(RunState.GUEST_PANICKED);
            assertThat(machine.output()).endsWith("\nBAD\n");
        }
    }

    @Test
    void theSameStateHoweverOftenItWasStopped() {
        try (ReferenceMachine free = small().build();
                ReferenceMachine other = small().build()) {
            long last = 0;
            for (int i = 0; i < 20; i++) {
                free.enter(RunState.RUNNING);
                while (free.instructions() < last + 20_000) LockSupport.parkNanos(200_000);
                free.enter(i % 2 == 0 ? RunState.PAUSED : RunState.FINISH_MIGRATE);
                last = free.instructions();
            }
            for (long step = 1; other.instructions() < last; step = step * 3 + 1) {
                other.runFor(Math.min(step, last - other.instructions()));
            }
            assertThat(other.digest()).isEqualTo(free.digest());
            assertThat(other.output()).isEqualTo(free.output());
            other.runFor(1);
            assertThat(other.digest()).isNotEqualTo(free.digest());
        }
    }

    @ParameterizedTest
    @EnumSource
    void theSameStateInAnyKindOfMemory(HostMemory kind) {
        try (ReferenceMachine machine = small().hostMemory(kind).build();
                ReferenceMachine twin = small().build()) {
            machine.runFor(3_000_000);
            twin.runFor(3_000_000);
            assertThat(machine.digest()).isEqualTo(twin.digest());
            for (RamBlock block : machine.ram().blocks()) {
                assertThat(block.memory().isPresent()).isEqualTo(kind == HostMemory.NATIVE);
            }
        }
    }

    @Test
    @Tag("DLG-4")
    void theDirtyLogIsExact() {
        try (ReferenceMachine machine = small().build()) {
            machine.runFor(1_000_000);
            DirtyLog log = machine.ram().dirtyLog().orElseThrow();
            log.start();
            for (int round = 0; round < 20; round++) {
                Map<RamBlock, byte[]> before = contents(machine);
                machine.runFor(50_000);
                before.forEach(
                        (block, old) -> {
                            PageBitmap marks = new PageBitmap(block.pages());
                            log.harvest(block, marks);
                            PageBitmap changed = changed(old, bytes(block));
                            for (int w = 0; w < marks.words(); w++) {
                                assertThat(marks.word(w))
                                        .as("%s word %d", block.id(), w)
                                        .isEqualTo(changed.word(w));
                            }
                        });
            }
            log.stop();
            machine.runFor(50_000);
            for (RamBlock block : machine.ram().blocks()) {
                PageBitmap marks = new PageBitmap(block.pages());
                log.harvest(block, marks);
                assertThat(marks.cardinality()).isZero();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"-4, 0b10", "-3, 0b110", "-1, 0b110", "0, 0b100"})
    @Tag("DLG-4")
    void aStoreAcrossTwoPagesMarksBoth(int offset, String marked) {
        try (ReferenceMachine machine =
                Guests.of(c -> c.li(A0, Bus.RAM_BASE + 8192).store(Store.SW, A0, offset, A0))) {
            DirtyLog log = machine.ram().dirtyLog().orElseThrow();
            RamBlock ram = machine.ram().blocks().get(2);
            log.start();
            machine.runFor(100);
            PageBitmap marks = new PageBitmap(ram.pages());
            log.harvest(ram, marks);
            assertThat(marks.word(0)).isEqualTo(Long.parseLong(marked.substring(2), 2));
        }
    }

    /** As the engine does it: copies what is marked, again and again, while the guest writes. */
    @Test
    @Tag("DLG-1")
    @Tag("DLG-2")
    @Tag("DLG-3")
    @Tag("DLG-5")
    void aCopyKeptByTheDirtyLogOfARunningGuestIsTrue() {
        try (ReferenceMachine machine = small().dirtyEvery(1).build()) {
            machine.runFor(1_000_000);
            DirtyLog log = machine.ram().dirtyLog().orElseThrow();
            for (int round = 0; round < 20; round++) {
                machine.enter(RunState.RUNNING);
                log.start();
                Map<RamBlock, byte[]> copies = contents(machine);
                for (int i = 0; i < 50; i++) copies.forEach((b, copy) -> refresh(log, b, copy));
                machine.enter(RunState.FINISH_MIGRATE);
                copies.forEach((b, copy) -> refresh(log, b, copy));
                log.stop();
                copies.forEach(
                        (block, copy) ->
                                assertThat(changed(copy, bytes(block)).cardinality())
                                        .as("pages lost from %s", block.id())
                                        .isZero());
            }
        }
    }

    private static void refresh(DirtyLog log, RamBlock block, byte[] copy) {
        PageBitmap marks = new PageBitmap(block.pages());
        log.harvest(block, marks);
        for (long page = marks.nextSet(0); page < marks.pages(); page = marks.nextSet(page + 1)) {
            block.read(page * 4096, MemorySegment.ofArray(copy).asSlice(page * 4096, 4096));
        }
    }

    private static Map<RamBlock, byte[]> contents(ReferenceMachine machine) {
        Map<RamBlock, byte[]> contents = new LinkedHashMap<>();
        for (RamBlock block : machine.ram().blocks()) contents.put(block, bytes(block));
        return contents;
    }

    private static byte[] bytes(RamBlock block) {
        byte[] bytes = new byte[(int) block.usedLength()];
        block.read(0, MemorySegment.ofArray(bytes));
        return bytes;
    }

    private static PageBitmap changed(byte[] before, byte[] after) {
        PageBitmap changed = new PageBitmap(before.length / 4096);
        for (int page = 0; page < changed.pages(); page++) {
            int from = page * 4096;
            int to = from + 4096;
            if (!Arrays.equals(before, from, to, after, from, to)) changed.set(page);
        }
        return changed;
    }

    @Test
    void devicesAndRamMakeUpTheWholeMachine() throws IOException {
        for (long at : new long[] {0, 1_000_000, 1_000_500, 1_000_711}) {
            try (ReferenceMachine one = small().build();
                    ReferenceMachine other = small().hostMemory(HostMemory.BYTES).build()) {
                one.runFor(at);
                for (int i = 0; i < 3; i++) {
                    byte[] saved = save(one.devices().get(i));
                    load(other.devices().get(i), saved);
                    byte[] copy = bytes(one.ram().blocks().get(i));
                    other.ram().blocks().get(i).write(0, MemorySegment.ofArray(copy));
                }
                assertThat(other.digest()).isEqualTo(one.digest());
                String before = one.output();
                one.runFor(1_000_000);
                other.runFor(1_000_000);
                assertThat(other.digest()).isEqualTo(one.digest());
                // Some of these moments are in the middle of a line.
                assertThat(before + other.output()).isEqualTo(one.output());
            }
        }
    }

    @Test
    void bytesThatWaitInTheSerialPortLeaveAtTheOtherOne() throws IOException {
        Uart one = new Uart();
        for (char c : "waiting".toCharArray()) one.write(Uart.DATA, c, 1000);
        one.advance(1200);
        Uart other = new Uart();
        load(other, save(one));
        one.advance(1_000_000);
        other.advance(1699);
        assertThat(one.output() + "/" + other.output()).isEqualTo("waiting/itin");
        other.advance(1_000_000);
        assertThat(other.output()).isEqualTo("iting");
        assertThat(save(other)).isEqualTo(save(one));
    }

    @Test
    void anOverfullQueueIsRefused() throws IOException {
        byte[] saved = save(new Uart());
        saved[16] = 17;
        assertThatThrownBy(() -> load(new Uart(), saved))
                .isInstanceOf(MigrationException.class)
                .hasMessage("ref-uart: 17 bytes wait in a queue of 16");
    }

    private static byte[] save(DeviceState device) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        device.save(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    private static void load(DeviceState device, byte[] saved) throws IOException {
        ByteArrayInputStream in = new ByteArrayInputStream(saved);
        device.load(new DataInputStream(in), device.version());
        assertThat(in.available()).isZero();
    }

    @Test
    void aGuestThatStopsByItselfEndsItsThread() throws Exception {
        try (ReferenceMachine machine = Guests.of(c -> c.li(A0, 3))) {
            machine.enter(RunState.RUNNING);
            while (machine.runState() == RunState.RUNNING) LockSupport.parkNanos(200_000);
            assertThat(machine.runState()).isEqualTo(RunState.SHUTDOWN);
            machine.enter(RunState.FINISH_MIGRATE);
            assertThat(machine.runState())
                    .as("a migration is to tell")
                    .isEqualTo(RunState.SHUTDOWN);
            assertThat(machine.register(A0)).isEqualTo(3);
            assertThat(machine.stopReason()).isEqualTo("ecall, at pc 0x1004");
        }
    }

    /** By what the thread was given of a processor: less than its share on a loaded machine. */
    @Test
    void aThrottledCpuStandsStillForItsShareOfTheTime() {
        try (ReferenceMachine machine = small().pace(100).build();
                ReferenceMachine twin = small().build()) {
            machine.throttle().orElseThrow().set(90);
            assertThat(share(machine)).isPositive().isLessThan(0.2);

            machine.throttle().orElseThrow().set(99);
            machine.enter(RunState.PAUSED); // whoever pauses it doesn't wait for its share
            machine.throttle().orElseThrow().set(0);
            twin.runFor(machine.instructions());
            assertThat(machine.digest()).isEqualTo(twin.digest());
        }
    }

    /** A quarter of the time, and of that a half while it is throttled. */
    @Test
    void itLeavesTheProcessorToOthers() {
        try (ReferenceMachine machine = small().build()) {
            assertThat(share(machine)).isPositive().isLessThan(0.4);
            machine.throttle().orElseThrow().set(50);
            assertThat(share(machine)).isPositive().isLessThan(0.2);
        }
    }

    /** Of which less than a percent of the time is left to it. */
    @Test
    void aSlowCpuThatIsThrottledAsFarAsCanBeStillRuns() {
        try (ReferenceMachine machine = small().pace(1).build()) {
            machine.throttle().orElseThrow().set(99);
            assertThat(share(machine)).isPositive().isLessThan(0.02);
            assertThat(machine.stopReason()).isEmpty();
        }
    }

    /** How much of the time its CPU's thread has a processor, of 1. */
    private static double share(ReferenceMachine machine) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        machine.runFor(20_000_000); // it is fast, once compiled
        machine.enter(RunState.RUNNING);
        Thread cpu =
                Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> thread.getName().equals("vmferry-reference-cpu"))
                        .findFirst()
                        .orElseThrow();
        long began = System.nanoTime();
        long cpuBegan = threads.getThreadCpuTime(cpu.threadId());
        while (System.nanoTime() - began < 400_000_000) LockSupport.parkNanos(10_000_000);
        long worked = threads.getThreadCpuTime(cpu.threadId()) - cpuBegan;
        double share = (double) worked / (System.nanoTime() - began);
        machine.enter(RunState.PAUSED);
        return share;
    }

    @Test
    void aRunningMachineCannotBeLookedInto() {
        try (ReferenceMachine machine = small().build()) {
            machine.enter(RunState.RUNNING);
            assertThatIllegalStateException().isThrownBy(machine::digest);
            assertThatIllegalStateException().isThrownBy(() -> machine.runFor(1));
        }
    }

    @Test
    void closingLeavesNoThread() {
        ReferenceMachine machine = small().build();
        machine.enter(RunState.RUNNING);
        machine.close();
        machine.close();
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().startsWith("vmferry-reference"));
    }

    /** Else the file that the first one was mapped from would be in use, for nothing. */
    @Test
    void ramThatIsAdoptedAnewLeavesWhatWasAdoptedBefore() throws MigrationException {
        try (ReferenceMachine machine = small().adopting().build()) {
            RamBlock ram = machine.ram().blocks().get(2);
            BlockHeader header =
                    new BlockHeader(ram.id(), ram.usedLength(), ram.pageSize(), ram.guestAddress());
            MemorySegment[] adopted = new MemorySegment[2];
            for (int i = 0; i < 2; i++) {
                Arena arena = machine.ramTarget().adopts(header).orElseThrow();
                adopted[i] = arena.allocate(ram.usedLength(), ram.pageSize());
                machine.ramTarget().adopt(header, adopted[i]);
            }
            assertThat(adopted[0].scope().isAlive()).isFalse();
            assertThat(machine.ram().blocks().get(2).memory()).contains(adopted[1]);
        }
    }

    @Test
    void aWindowThatIsTooLargeIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> small().dirtyWindow(512).build())
                .withMessageContaining("512 pages needs 2101248 bytes, RAM has 2097152");
        small().dirtyWindow(511).build().close();
    }
}
