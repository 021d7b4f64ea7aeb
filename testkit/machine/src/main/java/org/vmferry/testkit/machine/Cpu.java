package org.vmferry.testkit.machine;

import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.RunState;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * One hart of RV64IM, without privileges or interrupts. It is run by one thread at a time; its
 * state may be looked at, saved and loaded while none does.
 */
final class Cpu implements DeviceState {
    private final Bus bus;
    private final long[] x = new long[32];
    private long pc = Bus.ROM_BASE;
    private volatile long retired; // instructions since boot; written once a slice

    Cpu(Bus bus) {
        this.bus = bus;
    }

    long retired() {
        return retired;
    }

    long pc() {
        return pc;
    }

    long register(int number) {
        return x[number];
    }

    /**
     * Executes instructions.
     *
     * @throws GuestStop if one can't be: the state is that before it
     */
    void run(int instructions) throws GuestStop {
        Bus bus = this.bus;
        long[] x = this.x;
        long pc = this.pc;
        long now = retired;
        long end = now + instructions;
        try {
            Region code = bus.code(pc);
            for (; now != end; now++) {
                if (!code.holds(pc, 4)) code = bus.code(pc);
                int instruction = Bus.fetch(code, pc);
                long next = pc + 4;
                long value;
                long a = x[instruction >>> 15 & 31];
                switch (instruction & 0x7f) {
                    case Rv64.OP_IMM -> value = Alu.opImm(instruction, a);
                    case Rv64.OP -> value = Alu.op(instruction, a, x[instruction >>> 20 & 31]);
                    case Rv64.LOAD -> {
                        int funct3 = instruction >>> 12 & 7;
                        if (funct3 == 7) throw Alu.illegal(instruction);
                        value = bus.load(funct3, a + (instruction >> 20), now);
                    }
                    case Rv64.STORE -> {
                        int funct3 = instruction >>> 12 & 7;
                        if (funct3 > 3) throw Alu.illegal(instruction);
                        int offset = instruction >> 25 << 5 | instruction >>> 7 & 31;
                        bus.store(funct3, a + offset, x[instruction >>> 20 & 31], now);
                        pc = next;
                        continue;
                    }
                    case Rv64.BRANCH -> {
                        if (Alu.taken(instruction, a, x[instruction >>> 20 & 31])) {
                            next = target(pc + branchOffset(instruction));
                        }
                        pc = next;
                        continue;
                    }
                    case Rv64.JAL -> {
                        value = next;
                        next = target(pc + jumpOffset(instruction));
                    }
                    case Rv64.JALR -> {
                        if ((instruction >>> 12 & 7) != 0) throw Alu.illegal(instruction);
                        value = next;
                        next = target(a + (instruction >> 20) & ~1L);
                    }
                    case Rv64.LUI -> value = instruction & 0xffff_f000;
                    case Rv64.AUIPC -> value = pc + (instruction & 0xffff_f000);
                    case Rv64.OP_IMM_32 -> value = Alu.opImm32(instruction, (int) a);
                    case Rv64.OP_32 ->
                            value =
                                    Alu.op32(
                                            instruction, (int) a, (int) x[instruction >>> 20 & 31]);
                    case Rv64.FENCE -> {
                        pc = next; // one hart sees its own stores in order
                        continue;
                    }
                    default -> throw system(instruction);
                }
                int rd = instruction >>> 7 & 31;
                if (rd != 0) x[rd] = value;
                pc = next;
            }
        } finally {
            this.pc = pc;
            retired = now;
            bus.uart.advance(now);
        }
    }

    private static int branchOffset(int instruction) {
        return instruction >> 31 << 12
                | (instruction >>> 7 & 1) << 11
                | (instruction >>> 25 & 0x3f) << 5
                | (instruction >>> 8 & 0xf) << 1;
    }

    private static int jumpOffset(int instruction) {
        return instruction >> 31 << 20
                | instruction & 0xff000
                | (instruction >>> 20 & 1) << 11
                | (instruction >>> 21 & 0x3ff) << 1;
    }

    private static long target(long address) throws GuestStop {
        if ((address & 3) != 0) throw GuestStop.trap("a jump to 0x%x, no multiple of 4", address);
        return address;
    }

    private static GuestStop system(int instruction) {
        if (instruction == Rv64.SYSTEM) return new GuestStop(RunState.SHUTDOWN, "ecall");
        if (instruction == (Rv64.SYSTEM | 1 << 20)) {
            return new GuestStop(RunState.GUEST_PANICKED, "ebreak");
        }
        return Alu.illegal(instruction);
    }

    @Override
    public String id() {
        return "ref-cpu";
    }

    @Override
    public void save(DataOutput out) throws IOException {
        out.writeLong(retired);
        out.writeLong(pc);
        for (int i = 1; i < x.length; i++) out.writeLong(x[i]);
    }

    @Override
    public void load(DataInput in, int version) throws IOException {
        retired = in.readLong();
        pc = in.readLong();
        for (int i = 1; i < x.length; i++) x[i] = in.readLong();
    }

    @Override
    public List<Field> fields() {
        List<Field> fields = new ArrayList<>();
        fields.add(new Field("retired", Long.BYTES));
        fields.add(new Field("pc", Long.BYTES));
        for (int i = 1; i < x.length; i++) fields.add(new Field("x" + i, Long.BYTES));
        return fields;
    }
}
