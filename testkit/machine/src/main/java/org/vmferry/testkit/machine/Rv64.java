package org.vmferry.testkit.machine;

import org.vmferry.spi.Status;

/** The instructions of RV64IM, by format, as {@link Rv64Assembler} writes them. */
@Status(Status.Level.EXPERIMENTAL)
public final class Rv64 {
    static final int LOAD = 0x03;
    static final int FENCE = 0x0f;
    static final int OP_IMM = 0x13;
    static final int AUIPC = 0x17;
    static final int OP_IMM_32 = 0x1b;
    static final int STORE = 0x23;
    static final int OP = 0x33;
    static final int LUI = 0x37;
    static final int OP_32 = 0x3b;
    static final int BRANCH = 0x63;
    static final int JALR = 0x67;
    static final int JAL = 0x6f;
    static final int SYSTEM = 0x73;

    private Rv64() {}

    /** The integer registers, under the names of the calling convention, in their order. */
    @Status(Status.Level.EXPERIMENTAL)
    public enum Register {
        /** Always 0. */
        ZERO,
        /** Return address. */
        RA,
        /** Stack pointer. */
        SP,
        /** Global pointer. */
        GP,
        /** Thread pointer. */
        TP,
        /** A temporary. */
        T0,
        /** A temporary. */
        T1,
        /** A temporary. */
        T2,
        /** A saved register. */
        S0,
        /** A saved register. */
        S1,
        /** An argument. */
        A0,
        /** An argument. */
        A1,
        /** An argument. */
        A2,
        /** An argument. */
        A3,
        /** An argument. */
        A4,
        /** An argument. */
        A5,
        /** An argument. */
        A6,
        /** An argument. */
        A7,
        /** A saved register. */
        S2,
        /** A saved register. */
        S3,
        /** A saved register. */
        S4,
        /** A saved register. */
        S5,
        /** A saved register. */
        S6,
        /** A saved register. */
        S7,
        /** A saved register. */
        S8,
        /** A saved register. */
        S9,
        /** A saved register. */
        S10,
        /** A saved register. */
        S11,
        /** A temporary. */
        T3,
        /** A temporary. */
        T4,
        /** A temporary. */
        T5,
        /** A temporary. */
        T6
    }

    /** Operations on two registers. */
    @Status(Status.Level.EXPERIMENTAL)
    public enum Op {
        /** rs1 + rs2. */
        ADD(OP, 0, 0),
        /** rs1 - rs2. */
        SUB(OP, 0, 0x20),
        /** Shift left. */
        SLL(OP, 1, 0),
        /** Set if less, signed. */
        SLT(OP, 2, 0),
        /** Set if less, unsigned. */
        SLTU(OP, 3, 0),
        /** Exclusive or. */
        XOR(OP, 4, 0),
        /** Shift right, zeros in. */
        SRL(OP, 5, 0),
        /** Shift right, sign in. */
        SRA(OP, 5, 0x20),
        /** Or. */
        OR(OP, 6, 0),
        /** And. */
        AND(OP, 7, 0),
        /** Low half of the product. */
        MUL(OP, 0, 1),
        /** High half, signed. */
        MULH(OP, 1, 1),
        /** High half, signed times unsigned. */
        MULHSU(OP, 2, 1),
        /** High half, unsigned. */
        MULHU(OP, 3, 1),
        /** Quotient, signed. */
        DIV(OP, 4, 1),
        /** Quotient, unsigned. */
        DIVU(OP, 5, 1),
        /** Remainder, signed. */
        REM(OP, 6, 1),
        /** Remainder, unsigned. */
        REMU(OP, 7, 1),
        /** rs1 + rs2, 32 bits. */
        ADDW(OP_32, 0, 0),
        /** rs1 - rs2, 32 bits. */
        SUBW(OP_32, 0, 0x20),
        /** Shift left, 32 bits. */
        SLLW(OP_32, 1, 0),
        /** Shift right, zeros in, 32 bits. */
        SRLW(OP_32, 5, 0),
        /** Shift right, sign in, 32 bits. */
        SRAW(OP_32, 5, 0x20),
        /** Low half of the product, 32 bits. */
        MULW(OP_32, 0, 1),
        /** Quotient, signed, 32 bits. */
        DIVW(OP_32, 4, 1),
        /** Quotient, unsigned, 32 bits. */
        DIVUW(OP_32, 5, 1),
        /** Remainder, signed, 32 bits. */
        REMW(OP_32, 6, 1),
        /** Remainder, unsigned, 32 bits. */
        REMUW(OP_32, 7, 1);

        final int bits;

        Op(int opcode, int funct3, int funct7) {
            bits = opcode | funct3 << 12 | funct7 << 25;
        }
    }

    /** Operations on a register and a constant of 12 bits, or a shift by a constant. */
    @Status(Status.Level.EXPERIMENTAL)
    public enum OpImm {
        /** rs1 + rs2, with a constant. */
        ADDI(OP_IMM, 0, 0, 12),
        /** Set if less, signed, with a constant. */
        SLTI(OP_IMM, 2, 0, 12),
        /** Set if less, unsigned, with a constant. */
        SLTIU(OP_IMM, 3, 0, 12),
        /** Exclusive or, with a constant. */
        XORI(OP_IMM, 4, 0, 12),
        /** Or, with a constant. */
        ORI(OP_IMM, 6, 0, 12),
        /** And, with a constant. */
        ANDI(OP_IMM, 7, 0, 12),
        /** Shift left, with a constant. */
        SLLI(OP_IMM, 1, 0, 6),
        /** Shift right, zeros in, with a constant. */
        SRLI(OP_IMM, 5, 0, 6),
        /** Shift right, sign in, with a constant. */
        SRAI(OP_IMM, 5, 0x20, 6),
        /** rs1 + rs2, 32 bits, with a constant. */
        ADDIW(OP_IMM_32, 0, 0, 12),
        /** Shift left, 32 bits, with a constant. */
        SLLIW(OP_IMM_32, 1, 0, 5),
        /** Shift right, zeros in, 32 bits, with a constant. */
        SRLIW(OP_IMM_32, 5, 0, 5),
        /** Shift right, sign in, 32 bits, with a constant. */
        SRAIW(OP_IMM_32, 5, 0x20, 5);

        final int bits;
        final int width; // of the constant; a shift's is unsigned

        OpImm(int opcode, int funct3, int funct7, int width) {
            bits = opcode | funct3 << 12 | funct7 << 25;
            this.width = width;
        }
    }

    /** Loads. */
    @Status(Status.Level.EXPERIMENTAL)
    public enum Load {
        /** A byte, its sign extended. */
        LB,
        /** 2 bytes, sign extended. */
        LH,
        /** 4 bytes, sign extended. */
        LW,
        /** 8 bytes. */
        LD,
        /** A byte. */
        LBU,
        /** 2 bytes. */
        LHU,
        /** 4 bytes. */
        LWU
    }

    /** Stores. */
    @Status(Status.Level.EXPERIMENTAL)
    public enum Store {
        /** A byte. */
        SB,
        /** 2 bytes. */
        SH,
        /** 4 bytes. */
        SW,
        /** 8 bytes. */
        SD
    }

    /** Conditional branches. */
    @Status(Status.Level.EXPERIMENTAL)
    public enum Branch {
        /** If equal. */
        BEQ(0),
        /** If not equal. */
        BNE(1),
        /** If less, signed. */
        BLT(4),
        /** If not less, signed. */
        BGE(5),
        /** If less, unsigned. */
        BLTU(6),
        /** If not less, unsigned. */
        BGEU(7);

        final int funct3;

        Branch(int funct3) {
            this.funct3 = funct3;
        }
    }
}
