package org.vmferry.testkit.embedding;

import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;

/** All banks, one after the other, as one RAM block. */
record BankBlock(BankedComputer computer) implements RamBlock {
    private static final long BANK_BYTES = BankedComputer.BANK_WORDS * 4L;

    @Override
    public String id() {
        return "banked.ram";
    }

    @Override
    public long usedLength() {
        return BankedComputer.BANKS * BANK_BYTES;
    }

    @Override
    public int pageSize() {
        return 4096;
    }

    @Override
    public void read(long offset, MemorySegment target) {
        for (long done = 0; done < target.byteSize(); ) {
            MemorySegment rest = restOfBank(offset + done, target.byteSize() - done);
            target.asSlice(done, rest.byteSize()).copyFrom(rest);
            done += rest.byteSize();
        }
    }

    @Override
    public void write(long offset, MemorySegment source) {
        for (long done = 0; done < source.byteSize(); ) {
            MemorySegment rest = restOfBank(offset + done, source.byteSize() - done);
            rest.copyFrom(source.asSlice(done, rest.byteSize()));
            done += rest.byteSize();
        }
    }

    /** From an offset to the end of its bank, or less. */
    private MemorySegment restOfBank(long offset, long atMost) {
        int[] bank = computer.banks[(int) (offset / BANK_BYTES)];
        long start = offset % BANK_BYTES;
        return MemorySegment.ofArray(bank).asSlice(start, Math.min(BANK_BYTES - start, atMost));
    }
}
