package org.vmferry.testkit.machine;

import static org.vmferry.testkit.machine.Rv64.Register.*;

import org.vmferry.testkit.machine.Rv64.Branch;
import org.vmferry.testkit.machine.Rv64.Load;
import org.vmferry.testkit.machine.Rv64.Op;
import org.vmferry.testkit.machine.Rv64.OpImm;
import org.vmferry.testkit.machine.Rv64.Store;

/**
 * What the reference machine runs when it is given nothing else. It picks a page of its window at
 * random, checks that it holds what was last written there, and writes it anew; it checks the pages
 * in turn too; and it prints how often its timer was due. When a check fails it prints BAD and
 * panics, so a page lost on a migration is found by the guest itself.
 *
 * <p>RAM holds a table, a generation of 8 bytes for each page of the window, then the window. In
 * each page a word every 512 bytes is written: its address, made odd, times the generation. SRAM
 * holds the counter, which is checked too.
 */
final class GuestProgram {
    private static final int STRIDE = 512; // bytes
    private static final int WORDS = Region.PAGE_SIZE / STRIDE;
    private static final int TEXT_END = 64; // of the digits, in SRAM

    private GuestProgram() {}

    /** How much of RAM a window and its table need, in bytes. */
    static long bytes(long windowPages) {
        return Math.addExact(
                windowOffset(windowPages), Math.multiplyExact(windowPages, Region.PAGE_SIZE));
    }

    private static long windowOffset(long windowPages) {
        long table = Math.multiplyExact(windowPages, 8L);
        return Math.addExact(table, Region.PAGE_SIZE - 1) & -Region.PAGE_SIZE;
    }

    /**
     * The code.
     *
     * @param windowPages how many pages it writes to
     * @param pagePeriod instructions between two pages
     * @param printPeriod instructions between two lines
     */
    static byte[] assemble(long windowPages, long pagePeriod, long printPeriod) {
        Rv64Assembler a = new Rv64Assembler();
        a.li(S0, Bus.RAM_BASE)
                .li(S1, Bus.RAM_BASE + windowOffset(windowPages))
                .li(S2, windowPages)
                .li(S3, pagePeriod)
                .li(S4, Bus.TIMER_BASE)
                .li(S5, Bus.UART_BASE)
                .li(S6, 0x9e37_79b9_7f4a_7c15L) // random: any but 0
                .li(S7, 0) // when the next page is due
                .li(S8, 0) // the counter
                .li(S9, 0) // the page that is checked next
                .li(S10, printPeriod)
                .li(GP, Bus.SRAM_BASE)
                .store(Store.SD, S10, Timer.COMPARE, S4);
        a.label("loop")
                .load(Load.LD, T0, Timer.DUE, S4)
                .branch(Branch.BEQ, T0, ZERO, "pages")
                .call("print")
                .label("pages")
                .load(Load.LD, T0, Timer.TIME, S4)
                .branch(Branch.BLTU, T0, S7, "loop")
                .op(Op.ADD, S7, S7, S3)
                .op(OpImm.ADDI, A0, S9, 0)
                .call("check")
                .op(OpImm.ADDI, S9, S9, 1)
                .branch(Branch.BLTU, S9, S2, "random")
                .li(S9, 0)
                .label("random") // xorshift
                .op(OpImm.SLLI, T0, S6, 13)
                .op(Op.XOR, S6, S6, T0)
                .op(OpImm.SRLI, T0, S6, 7)
                .op(Op.XOR, S6, S6, T0)
                .op(OpImm.SLLI, T0, S6, 17)
                .op(Op.XOR, S6, S6, T0)
                .op(Op.REMU, A0, S6, S2)
                .call("check")
                .call("write")
                .j("loop");
        check(a);
        write(a);
        print(a);
        bad(a);
        return a.assemble();
    }

    /** T0: where the page's generation is, T1: the generation, T2: the page, T3: words to go. */
    private static void locate(Rv64Assembler a) {
        a.op(OpImm.SLLI, T0, A0, 3)
                .op(Op.ADD, T0, T0, S0)
                .load(Load.LD, T1, 0, T0)
                .op(OpImm.SLLI, T2, A0, Region.PAGE_SHIFT)
                .op(Op.ADD, T2, T2, S1)
                .li(T3, WORDS);
    }

    private static void check(Rv64Assembler a) {
        a.label("check");
        locate(a);
        a.label("compare")
                .op(OpImm.ORI, T4, T2, 1)
                .op(Op.MUL, T4, T4, T1)
                .load(Load.LD, T5, 0, T2)
                .branch(Branch.BNE, T4, T5, "bad")
                .op(OpImm.ADDI, T2, T2, STRIDE)
                .op(OpImm.ADDI, T3, T3, -1)
                .branch(Branch.BNE, T3, ZERO, "compare")
                .ret();
    }

    private static void write(Rv64Assembler a) {
        a.label("write");
        locate(a);
        a.op(OpImm.ADDI, T1, T1, 1)
                .store(Store.SD, T1, 0, T0)
                .label("fill")
                .op(OpImm.ORI, T4, T2, 1)
                .op(Op.MUL, T4, T4, T1)
                .store(Store.SD, T4, 0, T2)
                .op(OpImm.ADDI, T2, T2, STRIDE)
                .op(OpImm.ADDI, T3, T3, -1)
                .branch(Branch.BNE, T3, ZERO, "fill")
                .ret();
    }

    private static void print(Rv64Assembler a) {
        a.label("print")
                .load(Load.LD, T0, Timer.COMPARE, S4)
                .op(Op.ADD, T0, T0, S10)
                .store(Store.SD, T0, Timer.COMPARE, S4)
                .load(Load.LD, T0, 0, GP)
                .branch(Branch.BNE, T0, S8, "bad")
                .op(OpImm.ADDI, S8, S8, 1)
                .store(Store.SD, S8, 0, GP)
                .op(OpImm.ADDI, T0, S8, 0)
                .op(OpImm.ADDI, T1, GP, TEXT_END)
                .li(T2, '\n')
                .store(Store.SB, T2, 0, T1)
                .li(T3, 10)
                .label("digit")
                .op(Op.REMU, T4, T0, T3)
                .op(Op.DIVU, T0, T0, T3)
                .op(OpImm.ADDI, T4, T4, '0')
                .op(OpImm.ADDI, T1, T1, -1)
                .store(Store.SB, T4, 0, T1)
                .branch(Branch.BNE, T0, ZERO, "digit")
                .label("send")
                .load(Load.LBU, T4, Uart.STATUS, S5)
                .op(OpImm.ANDI, T4, T4, Uart.ROOM)
                .branch(Branch.BEQ, T4, ZERO, "send")
                .load(Load.LBU, T0, 0, T1)
                .store(Store.SB, T0, Uart.DATA, S5)
                .op(OpImm.ADDI, T1, T1, 1)
                .branch(Branch.BNE, T0, T2, "send")
                .ret();
    }

    private static void bad(Rv64Assembler a) {
        a.label("bad");
        for (char c : new char[] {'B', 'A', 'D', '\n'}) {
            String wait = "wait " + (int) c;
            a.label(wait)
                    .load(Load.LBU, T4, Uart.STATUS, S5)
                    .op(OpImm.ANDI, T4, T4, Uart.ROOM)
                    .branch(Branch.BEQ, T4, ZERO, wait)
                    .li(T0, c)
                    .store(Store.SB, T0, Uart.DATA, S5);
        }
        a.label("drain")
                .load(Load.LBU, T4, Uart.STATUS, S5)
                .op(OpImm.ANDI, T4, T4, Uart.IDLE)
                .branch(Branch.BEQ, T4, ZERO, "drain")
                .ebreak();
    }
}
