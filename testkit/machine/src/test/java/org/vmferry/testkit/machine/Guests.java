package org.vmferry.testkit.machine;

import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.Rv64.OpImm;
import org.vmferry.testkit.machine.Rv64.Register;
import org.vmferry.testkit.machine.Rv64.Store;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/** Runs small pieces of code on a machine. */
final class Guests {
    private Guests() {}

    /** A machine with this code, which ends in an ecall. */
    static ReferenceMachine of(Consumer<Rv64Assembler> code) {
        Rv64Assembler assembler = new Rv64Assembler();
        code.accept(assembler);
        return ReferenceMachine.builder()
                .ram(1 << 20)
                .program(assembler.ecall().assemble())
                .build();
    }

    /** Runs the code to its end; the registers afterwards. */
    static Function<Register, Long> run(Consumer<Rv64Assembler> code) {
        try (ReferenceMachine machine = of(code)) {
            machine.runFor(1_000_000);
            if (machine.runState() != RunState.SHUTDOWN) {
                throw new AssertionError(machine.runState() + ": " + machine.stopReason());
            }
            Map<Register, Long> registers = new EnumMap<>(Register.class);
            for (Register register : Register.values()) {
                registers.put(register, machine.register(register));
            }
            return registers::get;
        }
    }

    /** Runs pieces of code, each of which leaves a result in A2; the results. */
    static long[] results(List<Consumer<Rv64Assembler>> pieces) {
        Consumer<Rv64Assembler> all =
                code -> {
                    code.li(Register.GP, Bus.RAM_BASE);
                    for (Consumer<Rv64Assembler> piece : pieces) {
                        piece.accept(code);
                        code.store(Store.SD, Register.A2, 0, Register.GP)
                                .op(OpImm.ADDI, Register.GP, Register.GP, 8);
                    }
                };
        try (ReferenceMachine machine = of(all)) {
            machine.runFor(1_000_000);
            ByteBuffer results =
                    ByteBuffer.allocate(pieces.size() * 8).order(ByteOrder.LITTLE_ENDIAN);
            machine.ram().blocks().get(2).read(0, MemorySegment.ofBuffer(results));
            long[] values = new long[pieces.size()];
            results.asLongBuffer().get(values);
            return values;
        }
    }
}
