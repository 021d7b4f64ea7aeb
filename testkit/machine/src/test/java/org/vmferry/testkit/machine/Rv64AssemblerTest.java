package org.vmferry.testkit.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.vmferry.testkit.machine.Rv64.Register.*;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.testkit.machine.Rv64.Branch;
import org.vmferry.testkit.machine.Rv64.Load;
import org.vmferry.testkit.machine.Rv64.Op;
import org.vmferry.testkit.machine.Rv64.OpImm;
import org.vmferry.testkit.machine.Rv64.Store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Against words that other assemblers make of the same. */
class Rv64AssemblerTest {
    private final Rv64Assembler assembler = new Rv64Assembler();

    @Test
    void operationsOnRegisters() {
        assembler.op(Op.ADD, A0, A0, A1).op(Op.SUB, A0, A0, A1).op(Op.MUL, A0, A0, A1);
        assembler.op(Op.REMU, A0, A0, A1).op(Op.ADDW, A0, A0, A1).op(Op.SRAW, T6, S11, T3);
        assertWords(0x00b50533, 0x40b50533, 0x02b50533, 0x02b57533, 0x00b5053b, 0x41cddfbb);
    }

    @Test
    void operationsWithConstants() {
        assembler.op(OpImm.ADDI, ZERO, ZERO, 0).op(OpImm.ADDI, SP, SP, -16);
        assembler.op(OpImm.SLTIU, A0, A0, 1).op(OpImm.ADDIW, A0, A0, 0);
        assembler.op(OpImm.SLLI, A0, A0, 32).op(OpImm.SRAI, A0, A0, 3).op(OpImm.XORI, A0, A0, -1);
        assertWords(
                0x00000013, 0xff010113, 0x00153513, 0x0005051b, 0x02051513, 0x40355513, 0xfff54513);
    }

    @Test
    void loadsAndStores() {
        assembler.store(Store.SD, RA, 8, SP).store(Store.SW, A0, -20, S0);
        assembler.load(Load.LD, RA, 8, SP).load(Load.LBU, A0, 0, A1).load(Load.LW, A5, -20, S0);
        assertWords(0x00113423, 0xfea42623, 0x00813083, 0x0005c503, 0xfec42783);
    }

    @Test
    void jumpsAndTheRest() {
        assembler.label("self").j("self").call("behind").label("before").lui(A0, 0x12345);
        assembler.label("behind").branch(Branch.BEQ, A0, A1, "before").ret().ecall().ebreak();
        assembler.auipc(A0, 1).jalr(RA, -4, T0);
        assertWords(
                0x0000006f,
                0x008000ef,
                0x12345537,
                0xfeb50ee3,
                0x00008067,
                0x00000073,
                0x00100073,
                0x00001517,
                0xffc280e7);
    }

    @ParameterizedTest
    @ValueSource(
            longs = {
                0,
                1,
                -1,
                2047,
                2048,
                -2048,
                -2049,
                0x7ffL,
                0x800L,
                0xfffL,
                0x1000L,
                0x7fff_f7ffL,
                0x7fff_f800L,
                0x7fff_ffffL,
                0x8000_0000L,
                -0x8000_0000L,
                -0x8000_0001L,
                0xffff_ffffL,
                0x1_0000_0000L,
                0x9e37_79b9_7f4a_7c15L,
                Long.MAX_VALUE,
                Long.MIN_VALUE
            })
    void anyConstant(long value) {
        assertThat(Guests.run(a -> a.li(A0, value)).apply(A0)).isEqualTo(value);
    }

    @Test
    void whatDoesNotFitIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> assembler.op(OpImm.ADDI, A0, A0, 2048))
                .withMessage("2048 does not fit in 12 bits");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> assembler.store(Store.SD, A0, -2049, A0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> assembler.op(OpImm.SLLIW, A0, A0, 32));
        assembler.label("far").branch(Branch.BEQ, A0, A0, "farther");
        for (int i = 0; i < 1024; i++) assembler.ret();
        assembler.label("farther");
        assertThatIllegalArgumentException().isThrownBy(assembler::assemble);
    }

    @Test
    void labelsAreThereOnce() {
        assembler.label("here");
        assertThatIllegalArgumentException().isThrownBy(() -> assembler.label("here"));
        assembler.j("nowhere");
        assertThatIllegalArgumentException()
                .isThrownBy(assembler::assemble)
                .withMessageContaining("nowhere");
    }

    private void assertWords(int... words) {
        ByteBuffer expected = ByteBuffer.allocate(words.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : words) expected.putInt(word);
        assertThat(assembler.assemble()).isEqualTo(expected.array());
    }
}
