package org.vmferry.cli.demo;

import org.vmferry.engine.memory.GuestMemory;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The demo's guest: it counts on its serial port, and writes to an eighth of its RAM all the time.
 */
final class DemoGuest {
    private static final int PAGE = 4096;
    private static final int MIB = 1 << 20;

    private DemoGuest() {}

    /** The machine as all three processes make it, and the twin's. */
    static ReferenceMachineBuilder machine(long ramBytes) {
        return ReferenceMachine.builder()
                .ram(ramBytes)
                .memory(bytes -> GuestMemory.allocate(bytes).block("ref.ram", PAGE))
                .dirtyWindow(ramBytes / 8 / PAGE)
                .dirtyEvery(2000);
    }

    /** A machine before its first instruction. Half of its RAM holds text, as of files. */
    static ReferenceMachine fresh(long ramBytes) {
        ReferenceMachine machine = machine(ramBytes).build();
        RamBlock ram = machine.ram().blocks().getLast();
        MemorySegment text = MemorySegment.ofArray(text());
        for (long at = ramBytes / 2; at + MIB <= ramBytes; at += MIB) ram.write(at, text);
        return machine;
    }

    private static byte[] text() {
        var random = new SplittableRandom(42);
        String[] words = new String[512];
        for (int i = 0; i < words.length; i++) {
            StringBuilder word = new StringBuilder();
            for (int letters = random.nextInt(2, 11); letters > 0; letters--)
                word.append((char) random.nextInt('a', 'z' + 1));
            words[i] = word.append(' ').toString();
        }
        StringBuilder text = new StringBuilder(MIB + 16);
        while (text.length() < MIB) text.append(words[random.nextInt(words.length)]);
        return text.substring(0, MIB).getBytes(StandardCharsets.US_ASCII);
    }

    /** Waits until a running guest has executed so many instructions since its boot. */
    static void await(ReferenceMachine machine, long instructions) throws MigrationException {
        while (machine.instructions() < instructions) {
            if (machine.runState() != RunState.RUNNING)
                throw MigrationException.host("the guest stopped: %s", machine.stopReason());
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }
}
