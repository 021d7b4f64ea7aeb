package org.vmferry.testkit.machine;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * What the CPU sees at which address. The store path keeps the dirty log: first the store, then the
 * mark.
 */
final class Bus {
    static final long ROM_BASE = 0x1000;
    static final long TIMER_BASE = 0x0200_0000;
    static final long UART_BASE = 0x1000_0000;
    static final long SRAM_BASE = 0x4000_0000;
    static final long RAM_BASE = 0x8000_0000L;

    private static final int WINDOW = 0x1000; // bytes of a device's registers
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    final Region rom;
    final Region sram;
    final Region ram;
    final Uart uart = new Uart();
    final Timer timer = new Timer();

    // Plain: changes only while the CPU is stopped.
    boolean logging;

    Bus(Region rom, Region sram, Region ram) {
        this.rom = rom;
        this.sram = sram;
        this.ram = ram;
    }

    List<Region> regions() {
        return List.of(rom, sram, ram);
    }

    private Region region(long address, int bytes) {
        if (ram.holds(address, bytes)) return ram;
        if (sram.holds(address, bytes)) return sram;
        if (rom.holds(address, bytes)) return rom;
        return null;
    }

    /** Where code lies. */
    Region code(long pc) throws GuestStop {
        Region region = region(pc, 4);
        if (region == null) throw GuestStop.trap("no memory to fetch from at 0x%x", pc);
        return region;
    }

    static int fetch(Region region, long pc) {
        return region.memory.get(INT, pc - region.base);
    }

    /** Loads 1 to 8 bytes; {@code funct3} says how many, and whether the sign is extended. */
    long load(int funct3, long address, long now) throws GuestStop {
        Region region = region(address, 1 << (funct3 & 3));
        if (region == null) return loadDevice(funct3, address, now);
        MemorySegment memory = region.memory;
        long offset = address - region.base;
        return switch (funct3) {
            case 0 -> memory.get(BYTE, offset);
            case 1 -> memory.get(SHORT, offset);
            case 2 -> memory.get(INT, offset);
            case 3 -> memory.get(LONG, offset);
            case 4 -> memory.get(BYTE, offset) & 0xffL;
            case 5 -> memory.get(SHORT, offset) & 0xffffL;
            default -> memory.get(INT, offset) & 0xffff_ffffL;
        };
    }

    /** Stores 1 to 8 bytes. */
    void store(int funct3, long address, long value, long now) throws GuestStop {
        int bytes = 1 << funct3;
        Region region = region(address, bytes);
        if (region == null) {
            storeDevice(address, value, now);
            return;
        }
        if (!region.writable) throw GuestStop.trap("a store to ROM at 0x%x", address);
        MemorySegment memory = region.memory;
        long offset = address - region.base;
        switch (funct3) {
            case 0 -> memory.set(BYTE, offset, (byte) value);
            case 1 -> memory.set(SHORT, offset, (short) value);
            case 2 -> memory.set(INT, offset, (int) value);
            default -> memory.set(LONG, offset, value);
        }
        if (logging) region.mark(offset, bytes);
    }

    private long loadDevice(int funct3, long address, long now) throws GuestStop {
        long value;
        if (within(address, UART_BASE)) value = uart.read(address - UART_BASE, now);
        else if (within(address, TIMER_BASE)) value = timer.read(address - TIMER_BASE, now);
        else throw GuestStop.trap("a load from 0x%x, where nothing is", address);
        return switch (funct3) {
            case 0 -> (byte) value;
            case 1 -> (short) value;
            case 2 -> (int) value;
            case 3 -> value;
            case 4 -> value & 0xff;
            case 5 -> value & 0xffff;
            default -> value & 0xffff_ffffL;
        };
    }

    private void storeDevice(long address, long value, long now) throws GuestStop {
        if (within(address, UART_BASE)) uart.write(address - UART_BASE, value, now);
        else if (within(address, TIMER_BASE)) timer.write(address - TIMER_BASE, value, now);
        else throw GuestStop.trap("a store to 0x%x, where nothing is", address);
    }

    private static boolean within(long address, long base) {
        return address >= base && address < base + WINDOW;
    }
}
