package org.vmferry.testkit.machine;

import org.vmferry.spi.Status;
import org.vmferry.testkit.machine.Rv64.Branch;
import org.vmferry.testkit.machine.Rv64.Load;
import org.vmferry.testkit.machine.Rv64.Op;
import org.vmferry.testkit.machine.Rv64.OpImm;
import org.vmferry.testkit.machine.Rv64.Register;
import org.vmferry.testkit.machine.Rv64.Store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;

/**
 * Puts RV64IM code together, an instruction a call; labels may come after the jumps to them. The
 * code does not depend on where it is loaded. A constant or a distance that its instruction can't
 * hold is an {@link IllegalArgumentException}.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class Rv64Assembler {
    private record Reference(int at, String label, IntUnaryOperator encoding) {}

    private final List<Integer> code = new ArrayList<>();
    private final Map<String, Integer> labels = new HashMap<>();
    private final List<Reference> references = new ArrayList<>();

    /** An assembler without any code yet. */
    public Rv64Assembler() {}

    /**
     * Names the place of the next instruction.
     *
     * @param name unique in this code
     * @return this
     */
    public Rv64Assembler label(String name) {
        if (labels.put(name, code.size() * 4) != null) {
            throw new IllegalArgumentException("two labels are named " + name);
        }
        return this;
    }

    /**
     * An instruction as it is.
     *
     * @param instruction its 32 bits
     * @return this
     */
    public Rv64Assembler word(int instruction) {
        code.add(instruction);
        return this;
    }

    /**
     * An operation on two registers.
     *
     * @param op which
     * @param rd takes the result
     * @param rs1 the first operand
     * @param rs2 the second
     * @return this
     */
    public Rv64Assembler op(Op op, Register rd, Register rs1, Register rs2) {
        return word(op.bits | rd(rd) | rs1(rs1) | rs2(rs2));
    }

    /**
     * An operation with a constant.
     *
     * @param op which
     * @param rd takes the result
     * @param rs1 the operand
     * @param constant -2048 to 2047; for shifts 0 to 63, or 31 in 32 bits
     * @return this
     */
    public Rv64Assembler op(OpImm op, Register rd, Register rs1, int constant) {
        if (op.width == 12) signed(constant, 12);
        else if (constant >>> op.width != 0) {
            throw new IllegalArgumentException("a shift by " + constant);
        }
        return word(op.bits | rd(rd) | rs1(rs1) | constant << 20);
    }

    /**
     * A load.
     *
     * @param load which
     * @param rd takes the value
     * @param offset -2048 to 2047, added to the base
     * @param base holds the address
     * @return this
     */
    public Rv64Assembler load(Load load, Register rd, int offset, Register base) {
        return word(
                Rv64.LOAD | load.ordinal() << 12 | rd(rd) | rs1(base) | signed(offset, 12) << 20);
    }

    /**
     * A store.
     *
     * @param store which
     * @param value is stored
     * @param offset -2048 to 2047, added to the base
     * @param base holds the address
     * @return this
     */
    public Rv64Assembler store(Store store, Register value, int offset, Register base) {
        signed(offset, 12);
        return word(
                Rv64.STORE
                        | store.ordinal() << 12
                        | rs1(base)
                        | rs2(value)
                        | (offset & 0x1f) << 7
                        | offset >> 5 << 25);
    }

    /**
     * A conditional branch.
     *
     * @param branch which
     * @param rs1 is compared
     * @param rs2 with this
     * @param label at most 4 KiB away
     * @return this
     */
    public Rv64Assembler branch(Branch branch, Register rs1, Register rs2, String label) {
        int bits = Rv64.BRANCH | branch.funct3 << 12 | rs1(rs1) | rs2(rs2);
        return refer(
                label,
                distance -> {
                    signed(distance, 13);
                    return bits
                            | (distance >> 11 & 1) << 7
                            | (distance >> 1 & 0xf) << 8
                            | (distance >> 5 & 0x3f) << 25
                            | distance >> 12 << 31;
                });
    }

    /**
     * JAL.
     *
     * @param rd takes the return address
     * @param label at most 1 MiB away
     * @return this
     */
    public Rv64Assembler jal(Register rd, String label) {
        return refer(
                label,
                distance -> {
                    signed(distance, 21);
                    return Rv64.JAL
                            | rd(rd)
                            | distance & 0xff000
                            | (distance >> 11 & 1) << 20
                            | (distance >> 1 & 0x3ff) << 21
                            | distance >> 20 << 31;
                });
    }

    /**
     * JALR.
     *
     * @param rd takes the return address
     * @param offset -2048 to 2047, added to the base
     * @param base holds the address
     * @return this
     */
    public Rv64Assembler jalr(Register rd, int offset, Register base) {
        return word(Rv64.JALR | rd(rd) | rs1(base) | signed(offset, 12) << 20);
    }

    /**
     * LUI.
     *
     * @param rd takes the constant
     * @param upper bits 31 to 12 of it
     * @return this
     */
    public Rv64Assembler lui(Register rd, int upper) {
        return word(Rv64.LUI | rd(rd) | upper << 12);
    }

    /**
     * AUIPC.
     *
     * @param rd takes this instruction's address and the constant
     * @param upper bits 31 to 12 of it
     * @return this
     */
    public Rv64Assembler auipc(Register rd, int upper) {
        return word(Rv64.AUIPC | rd(rd) | upper << 12);
    }

    /**
     * A constant, by as many instructions as it needs.
     *
     * @param rd takes it
     * @param value any
     * @return this
     */
    public Rv64Assembler li(Register rd, long value) {
        int low = (int) (value << 52 >> 52);
        if (value == low) return op(OpImm.ADDI, rd, Register.ZERO, low);
        if (value == (int) value) {
            lui(rd, (int) (value - low >> 12));
            return low == 0 ? this : op(OpImm.ADDIW, rd, rd, low);
        }
        li(rd, value - low >> 12);
        op(OpImm.SLLI, rd, rd, 12);
        return low == 0 ? this : op(OpImm.ADDI, rd, rd, low);
    }

    /**
     * A jump.
     *
     * @param label at most 1 MiB away
     * @return this
     */
    public Rv64Assembler j(String label) {
        return jal(Register.ZERO, label);
    }

    /**
     * A call; RA takes the return address.
     *
     * @param label at most 1 MiB away
     * @return this
     */
    public Rv64Assembler call(String label) {
        return jal(Register.RA, label);
    }

    /**
     * A return to where RA says.
     *
     * @return this
     */
    public Rv64Assembler ret() {
        return jalr(Register.ZERO, 0, Register.RA);
    }

    /**
     * ECALL: the guest shuts down.
     *
     * @return this
     */
    public Rv64Assembler ecall() {
        return word(Rv64.SYSTEM);
    }

    /**
     * EBREAK: the guest panics.
     *
     * @return this
     */
    public Rv64Assembler ebreak() {
        return word(Rv64.SYSTEM | 1 << 20);
    }

    /**
     * The code.
     *
     * @return 4 bytes for each instruction, little-endian
     */
    public byte[] assemble() {
        for (Reference reference : references) {
            Integer target = labels.get(reference.label);
            if (target == null) {
                throw new IllegalArgumentException("no label is named " + reference.label);
            }
            int distance = target - reference.at * 4;
            code.set(reference.at, reference.encoding.applyAsInt(distance));
        }
        ByteBuffer bytes = ByteBuffer.allocate(code.size() * 4).order(ByteOrder.LITTLE_ENDIAN);
        code.forEach(bytes::putInt);
        return bytes.array();
    }

    private Rv64Assembler refer(String label, IntUnaryOperator encoding) {
        references.add(new Reference(code.size(), label, encoding));
        return word(0);
    }

    private static int signed(int value, int bits) {
        if (value >> bits - 1 != value >> 31) {
            throw new IllegalArgumentException(value + " does not fit in " + bits + " bits");
        }
        return value;
    }

    private static int rd(Register register) {
        return register.ordinal() << 7;
    }

    private static int rs1(Register register) {
        return register.ordinal() << 15;
    }

    private static int rs2(Register register) {
        return register.ordinal() << 20;
    }
}
