package org.vmferry.testkit.machine;

/** RV64IM's arithmetic. What the ISA manual calls reserved is a trap. */
final class Alu {
    private Alu() {}

    /** OP: two registers, 64 bits. */
    static long op(int instruction, long a, long b) throws GuestStop {
        int funct3 = instruction >>> 12 & 7;
        switch (instruction >>> 25) {
            case 0:
                return switch (funct3) {
                    case 0 -> a + b;
                    case 1 -> a << b;
                    case 2 -> a < b ? 1 : 0;
                    case 3 -> Long.compareUnsigned(a, b) < 0 ? 1 : 0;
                    case 4 -> a ^ b;
                    case 5 -> a >>> b;
                    case 6 -> a | b;
                    default -> a & b;
                };
            case 1:
                return multiplyOrDivide(funct3, a, b);
            case 0x20:
                if (funct3 == 0) return a - b;
                if (funct3 == 5) return a >> b;
                throw illegal(instruction);
            default:
                throw illegal(instruction);
        }
    }

    private static long multiplyOrDivide(int funct3, long a, long b) {
        // No division traps: by zero it gives all ones, and the dividend as remainder; Java's
        // wraps at MIN / -1 as the ISA wants.
        return switch (funct3) {
            case 0 -> a * b;
            case 1 -> Math.multiplyHigh(a, b);
            case 2 -> Math.multiplyHigh(a, b) + (b < 0 ? a : 0);
            case 3 -> Math.unsignedMultiplyHigh(a, b);
            case 4 -> b == 0 ? -1 : a / b;
            case 5 -> b == 0 ? -1 : Long.divideUnsigned(a, b);
            case 6 -> b == 0 ? a : a % b;
            default -> b == 0 ? a : Long.remainderUnsigned(a, b);
        };
    }

    /** OP-32: the low halves of two registers; the result's sign is extended. */
    static long op32(int instruction, int a, int b) throws GuestStop {
        int funct3 = instruction >>> 12 & 7;
        switch (instruction >>> 25 << 3 | funct3) {
            case 0:
                return a + b;
            case 1:
                return a << b;
            case 5:
                return a >>> b;
            case 0x20 << 3:
                return a - b;
            case 0x20 << 3 | 5:
                return a >> b;
            case 1 << 3:
                return a * b;
            case 1 << 3 | 4:
                return b == 0 ? -1 : a / b;
            case 1 << 3 | 5:
                return b == 0 ? -1 : Integer.divideUnsigned(a, b);
            case 1 << 3 | 6:
                return b == 0 ? a : a % b;
            case 1 << 3 | 7:
                return b == 0 ? a : Integer.remainderUnsigned(a, b);
            default:
                throw illegal(instruction);
        }
    }

    /** OP-IMM: a register and the instruction's constant. */
    static long opImm(int instruction, long a) throws GuestStop {
        long constant = instruction >> 20;
        switch (instruction >>> 12 & 7) {
            case 0:
                return a + constant;
            case 1:
                if (instruction >>> 26 != 0) throw illegal(instruction);
                return a << constant;
            case 2:
                return a < constant ? 1 : 0;
            case 3:
                return Long.compareUnsigned(a, constant) < 0 ? 1 : 0;
            case 4:
                return a ^ constant;
            case 5:
                if (instruction >>> 26 == 0) return a >>> constant;
                if (instruction >>> 26 == 0x10) return a >> constant;
                throw illegal(instruction);
            case 6:
                return a | constant;
            default:
                return a & constant;
        }
    }

    /** OP-IMM-32. */
    static long opImm32(int instruction, int a) throws GuestStop {
        int constant = instruction >> 20;
        switch (instruction >>> 12 & 7) {
            case 0:
                return a + constant;
            case 1:
                if (instruction >>> 25 == 0) return a << constant;
                throw illegal(instruction);
            case 5:
                if (instruction >>> 25 == 0) return a >>> constant;
                if (instruction >>> 25 == 0x20) return a >> constant;
                throw illegal(instruction);
            default:
                throw illegal(instruction);
        }
    }

    /** BRANCH: whether it is taken. */
    static boolean taken(int instruction, long a, long b) throws GuestStop {
        return switch (instruction >>> 12 & 7) {
            case 0 -> a == b;
            case 1 -> a != b;
            case 4 -> a < b;
            case 5 -> a >= b;
            case 6 -> Long.compareUnsigned(a, b) < 0;
            case 7 -> Long.compareUnsigned(a, b) >= 0;
            default -> throw illegal(instruction);
        };
    }

    static GuestStop illegal(int instruction) {
        return GuestStop.trap("illegal instruction 0x%08x", instruction);
    }
}
