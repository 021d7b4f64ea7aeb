package org.vmferry.testkit.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmferry.testkit.machine.Rv64.Register.*;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.Rv64.Branch;
import org.vmferry.testkit.machine.Rv64.Load;
import org.vmferry.testkit.machine.Rv64.Op;
import org.vmferry.testkit.machine.Rv64.OpImm;
import org.vmferry.testkit.machine.Rv64.Register;
import org.vmferry.testkit.machine.Rv64.Store;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/** Every instruction, against what the ISA manual says of it in unbounded integers. */
class InstructionTest {
    private static final long[] CORNERS = {
        0,
        1,
        -1,
        2,
        -2,
        7,
        -7,
        31,
        63,
        64,
        0x7fff_ffffL,
        0x8000_0000L,
        0xffff_ffffL,
        -0x8000_0000L,
        0x1_0000_0000L,
        0x8000_0000_8000_0001L,
        0x0123_4567_89ab_cdefL,
        0xfedc_ba98_7654_3210L,
        Long.MAX_VALUE,
        Long.MIN_VALUE
    };
    private static final int[] CONSTANTS = {0, 1, -1, 7, 31, 63, 2047, -2048};

    @ParameterizedTest
    @EnumSource
    void registerOperations(Op op) {
        List<Consumer<Rv64Assembler>> pieces = new ArrayList<>();
        for (long a : CORNERS)
            for (long b : CORNERS) pieces.add(c -> c.li(A0, a).li(A1, b).op(op, A2, A0, A1));
        long[] results = Guests.results(pieces);
        int i = 0;
        for (long a : CORNERS) {
            for (long b : CORNERS) {
                assertThat(results[i++]).as("%s %x, %x", op, a, b).isEqualTo(model(op, a, b));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void constantOperations(OpImm op) {
        Op plain = Op.valueOf(op.name().equals("SLTIU") ? "SLTU" : op.name().replace("I", ""));
        for (long a : CORNERS) {
            for (int constant : CONSTANTS) {
                if (op.width != 12 && (constant < 0 || constant >= 1 << op.width)) continue;
                assertThat(Guests.run(code -> code.li(A0, a).op(op, A2, A0, constant)).apply(A2))
                        .as("%s %x, %d", op, a, constant)
                        .isEqualTo(model(plain, a, constant));
            }
        }
    }

    private static long model(Op op, long a, long b) {
        if (op.name().endsWith("W")) {
            Op plain = Op.valueOf(op.name().substring(0, op.name().length() - 1));
            return model(plain, a, b, 32).intValue();
        }
        return model(op, a, b, 64).longValue();
    }

    private static BigInteger model(Op op, long a, long b, int bits) {
        BigInteger modulus = BigInteger.ONE.shiftLeft(bits);
        BigInteger u1 = BigInteger.valueOf(a).mod(modulus);
        BigInteger u2 = BigInteger.valueOf(b).mod(modulus);
        BigInteger s1 = u1.testBit(bits - 1) ? u1.subtract(modulus) : u1;
        BigInteger s2 = u2.testBit(bits - 1) ? u2.subtract(modulus) : u2;
        BigInteger ones = BigInteger.ONE.negate();
        boolean byZero = u2.signum() == 0;
        int shift = u2.intValue() & bits - 1;
        return switch (op) {
            case ADD -> s1.add(s2);
            case SUB -> s1.subtract(s2);
            case SLL -> u1.shiftLeft(shift);
            case SRL -> u1.shiftRight(shift);
            case SRA -> s1.shiftRight(shift);
            case SLT -> s1.compareTo(s2) < 0 ? BigInteger.ONE : BigInteger.ZERO;
            case SLTU -> u1.compareTo(u2) < 0 ? BigInteger.ONE : BigInteger.ZERO;
            case XOR -> s1.xor(s2);
            case OR -> s1.or(s2);
            case AND -> s1.and(s2);
            case MUL -> s1.multiply(s2);
            case MULH -> s1.multiply(s2).shiftRight(bits);
            case MULHSU -> s1.multiply(u2).shiftRight(bits);
            case MULHU -> u1.multiply(u2).shiftRight(bits);
            case DIV -> byZero ? ones : s1.divide(s2);
            case DIVU -> byZero ? ones : u1.divide(u2);
            case REM -> byZero ? s1 : s1.remainder(s2);
            case REMU -> byZero ? u1 : u1.remainder(u2);
            default -> throw new AssertionError(op);
        };
    }

    @ParameterizedTest
    @EnumSource
    void branches(Branch branch) {
        List<Consumer<Rv64Assembler>> pieces = new ArrayList<>();
        List<Long> expected = new ArrayList<>();
        for (long a : CORNERS) {
            for (long b : CORNERS) {
                int unsigned = Long.compareUnsigned(a, b);
                boolean taken =
                        switch (branch) {
                            case BEQ -> a == b;
                            case BNE -> a != b;
                            case BLT -> a < b;
                            case BGE -> a >= b;
                            case BLTU -> unsigned < 0;
                            case BGEU -> unsigned >= 0;
                        };
                expected.add(taken ? 1L : 0);
                String label = "taken " + pieces.size();
                pieces.add(
                        c ->
                                c.li(A0, a)
                                        .li(A1, b)
                                        .li(A2, 1)
                                        .branch(branch, A0, A1, label)
                                        .li(A2, 0)
                                        .label(label));
            }
        }
        assertThat(Guests.results(pieces))
                .containsExactly(expected.stream().mapToLong(e -> e).toArray());
    }

    @Test
    void jumpsForwardsAndBackwards() {
        Function<Register, Long> after =
                Guests.run(
                        c ->
                                c.j("start") // 0x1000
                                        .label("back")
                                        .op(OpImm.ADDI, A0, A0, 1)
                                        .ret()
                                        .label("start")
                                        .call("back") // 0x100c
                                        .auipc(T0, 0) // 0x1010
                                        .auipc(T1, 0xfffff)
                                        .jalr(
                                                T2, 13,
                                                T0) // an odd target: its lowest bit is dropped
                                        .lui(T3, 0x80000));
        assertThat(after.apply(A0)).isEqualTo(1);
        assertThat(after.apply(RA)).isEqualTo(0x1010);
        assertThat(after.apply(T0)).isEqualTo(0x1010);
        assertThat(after.apply(T1)).isEqualTo(0x14);
        assertThat(after.apply(T2)).isEqualTo(0x101c);
        assertThat(after.apply(T3)).isEqualTo(-0x8000_0000L);
    }

    @Test
    void jalrMayOverwriteItsOwnBase() {
        Function<Register, Long> after =
                Guests.run(c -> c.auipc(T0, 0).jalr(T0, 12, T0).ebreak().li(A0, 5));
        assertThat(after.apply(A0)).isEqualTo(5);
        assertThat(after.apply(T0)).isEqualTo(0x1008);
    }

    @Test
    void zeroStaysZero() {
        Function<Register, Long> after =
                Guests.run(c -> c.li(ZERO, 5).jal(ZERO, "next").label("next").lui(ZERO, 1));
        assertThat(after.apply(ZERO)).isZero();
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "2", "3", "4", "5", "6", "7", "4089", "4090", "4091", "4093", "4095"})
    void loadsAndStoresAtAnyAddress(int offset) {
        long value = 0x8182_8384_8586_8788L;
        long address = Bus.RAM_BASE + offset; // from 4089 on it lies in two pages
        Function<Register, Long> after =
                Guests.run(
                        c ->
                                c.li(A0, value)
                                        .li(A1, address)
                                        .store(Store.SD, A0, 0, A1)
                                        .load(Load.LB, S0, 0, A1)
                                        .load(Load.LH, S1, 0, A1)
                                        .load(Load.LW, S2, 0, A1)
                                        .load(Load.LD, S3, 0, A1)
                                        .load(Load.LBU, S4, 0, A1)
                                        .load(Load.LHU, S5, 0, A1)
                                        .load(Load.LWU, S6, 0, A1)
                                        .store(Store.SB, ZERO, 7, A1)
                                        .store(Store.SH, ZERO, 5, A1)
                                        .load(Load.LD, S7, 0, A1)
                                        .store(Store.SW, A1, 4, A1)
                                        .load(Load.LD, S8, 0, A1));
        assertThat(after.apply(S0)).isEqualTo((byte) value);
        assertThat(after.apply(S1)).isEqualTo((short) value);
        assertThat(after.apply(S2)).isEqualTo((int) value);
        assertThat(after.apply(S3)).isEqualTo(value);
        assertThat(after.apply(S4)).isEqualTo(0x88);
        assertThat(after.apply(S5)).isEqualTo(0x8788);
        assertThat(after.apply(S6)).isEqualTo(0x8586_8788L);
        assertThat(after.apply(S7)).isEqualTo(0x84_8586_8788L);
        assertThat(after.apply(S8)).isEqualTo(address << 32 | 0x8586_8788L);
    }

    @Test
    void codeRunsInRamToo() {
        Function<Register, Long> after =
                Guests.run(
                        c ->
                                c.li(A0, Bus.RAM_BASE)
                                        .li(A1, 0x00008067) // ret
                                        .store(Store.SW, A1, 4, A0)
                                        .li(A1, 0x00760613) // addi a2, a2, 7
                                        .store(Store.SW, A1, 0, A0)
                                        .word(0x0000100f) // fence.i
                                        .jalr(RA, 0, A0));
        assertThat(after.apply(A2)).isEqualTo(7);
    }

    @Test
    void whatCannotBeExecutedStopsTheMachineAndSaysWhere() {
        assertStops(c -> c.word(0), "illegal instruction 0x00000000, at pc 0x1000");
        assertStops(c -> c.word(0x30001073), "illegal instruction 0x30001073"); // csrw mstatus
        assertStops(c -> c.word(0x00007003), "illegal instruction"); // a load of no known width
        assertStops(c -> c.word(0x40001033), "illegal instruction"); // SLL with SUB's bit
        assertStops(c -> c.word(0x0200101b), "illegal instruction"); // SLLIW by 32
        assertStops(c -> c.li(A0, 0x1000).store(Store.SB, A0, 0, A0), "a store to ROM at 0x1000");
        assertStops(c -> c.load(Load.LD, A0, -1, A0), "a load from 0xffffffffffffffff");
        assertStops(
                c -> c.li(A0, Long.MIN_VALUE).load(Load.LD, A0, 0, A0),
                "a load from 0x8000000000000000");
        long end = Bus.RAM_BASE + (1 << 20);
        assertStops(c -> c.li(A0, end).store(Store.SD, A0, -7, A0), "a store to 0x800ffff9");
        assertStops(c -> c.li(A0, end).jalr(RA, 0, A0), "no memory to fetch from at 0x80100000");
        assertStops(c -> c.li(A0, 0x1002).jalr(RA, 0, A0), "a jump to 0x1002");
    }

    @Test
    void theLastBytesOfRamAreRam() {
        long end = Bus.RAM_BASE + (1 << 20);
        assertThat(
                        Guests.run(
                                        c ->
                                                c.li(A0, end)
                                                        .store(Store.SD, A0, -8, A0)
                                                        .load(Load.LD, A1, -8, A0))
                                .apply(A1))
                .isEqualTo(end);
    }

    private static void assertStops(Consumer<Rv64Assembler> code, String reason) {
        try (ReferenceMachine machine = Guests.of(code)) {
            assertThat(machine.runFor(100)).isFalse();
            assertThat(machine.stopReason()).contains(reason);
            assertThat(machine.runState()).isEqualTo(RunState.INTERNAL_ERROR);
            // The instruction has not happened, and would stop it again.
            long instructions = machine.instructions();
            assertThat(machine.runFor(1)).isFalse();
            assertThat(machine.instructions()).isEqualTo(instructions);
        }
    }
}
