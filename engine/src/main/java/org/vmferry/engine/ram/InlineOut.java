package org.vmferry.engine.ram;

import static org.vmferry.engine.stream.Wire.*;

import org.vmferry.engine.stream.StreamOut;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** RAM as records in the main stream (rules RAM-3 to RAM-9). */
public sealed class InlineOut implements RamOut, ZeroPages.Extents<IOException> permits CarrierOut {
    final Session session;
    final StreamOut out;
    private final Staging staging = new Staging();
    private RamBlock last; // of the record before, also across sections (rule RAM-4)

    /** Into a stream, which stays its owner's. */
    public InlineOut(StreamOut out, Session session) {
        this.out = out;
        this.session = session;
    }

    @Override
    public void start(List<RamBlock> blocks) throws IOException {}

    @Override
    public void send(Run run) throws IOException {
        ZeroPages.divide(run, staging, this);
    }

    @Override
    public void others(Run run, MemorySegment bytes) throws IOException {
        session.permit(run.bytes());
        int size = run.block().pageSize();
        for (long at = 0; at < run.bytes(); at += size) {
            record(run.block(), run.offset() + at | PAGE);
            out.bytes(bytes.asSlice(at, size));
        }
        session.counters().normalPages(run.pages());
    }

    @Override
    public final void zeros(Run run) throws IOException {
        int size = run.block().pageSize();
        for (long at = 0; at < run.bytes(); at += size) {
            record(run.block(), run.offset() + at | ZERO);
            out.u8(0);
        }
        session.counters().zeroPages(run.pages());
    }

    private void record(RamBlock block, long offsetAndFlags) throws IOException {
        if (block == last) {
            out.u64(offsetAndFlags | CONTINUE);
        } else {
            out.u64(offsetAndFlags);
            out.str8(block.id());
            last = block;
        }
    }

    @Override
    public void endRound() throws IOException {}

    @Override
    public void close() {
        staging.close();
    }
}
